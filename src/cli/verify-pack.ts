/**
 * `packwire verify-pack`: git-verify-pack(1).
 *
 * @module
 */
import { resolve } from 'node:path';
import { isGitError } from '../core/errors.ts';
import { type ObjectFormat, objectFormatByName } from '../core/object-id.ts';
import { createThreadTaskPool } from '../pack/node/thread-task-pool.ts';
import type { TaskPool } from '../pack/task-pool.ts';
import { readArguments, usageError } from './arguments.ts';
import { checkPack } from './check-pack.ts';
import type { Command, CommandWorld } from './command.ts';
import { writeLines, writeText } from './output.ts';
import { formatPackStatistics } from './pack-statistics.ts';

export const verifyPackCommand: Command = {
  name: 'verify-pack',
  summary: 'check packs against their indexes',
  usage: ['verify-pack [-v | --verbose] [-s | --stat-only] [--object-format=<format>] [--] <pack>.idx...'],
  description: `
Reads every object of each pack, checks its checksums, and compares what it finds with the index.
Prints nothing and exits with 0 when all is well; '<pack>', '<pack>.pack' and '<pack>.idx' name the same.

    -v, --verbose         list the objects (id, kind, size, size in the pack, offset and, for deltas, depth and
                          base) and the lengths of the delta chains, then '<pack>: ok'
    -s, --stat-only       only the lengths of the delta chains
    --object-format=<format>
                          sha1 (the default) or sha256`,

  async run(args, world) {
    const { values, positionals } = readArguments(args, {
      verbose: { type: 'boolean', short: 'v' },
      'stat-only': { type: 'boolean', short: 's' },
      'object-format': { type: 'string', default: 'sha1' },
    });
    if (positionals.length === 0) throw usageError('Expected at least one pack');
    const report = values['stat-only'] === true ? 'chains' : values.verbose === true ? 'objects' : 'nothing';
    const format = objectFormatByName(values['object-format']);
    const tasks = createThreadTaskPool();
    let allGood = true;
    try {
      for (const name of positionals)
        allGood = (await verify(name, { format, report, tasks }, world)) && allGood;
    } finally {
      await tasks.close();
    }
    return allGood ? 0 : 1;
  },
};

interface Verification {
  readonly format: ObjectFormat;
  readonly report: 'nothing' | 'chains' | 'objects';
  readonly tasks: TaskPool;
}

async function verify(
  name: string,
  { format, report, tasks }: Verification,
  world: CommandWorld,
): Promise<boolean> {
  const shown = `${name.replace(/\.(idx|pack)$/, '')}.pack`;
  const packPath = resolve(world.directory, shown);
  const indexPath = packPath.replace(/\.pack$/, '.idx');
  try {
    await checkPack(packPath, indexPath, { format, tasks, reverseIndex: true }, async (pack, file) => {
      if (report === 'nothing') return;
      await writeLines(world.output, formatPackStatistics(pack, file.sink, report === 'objects'));
    });
  } catch (error) {
    if (!isGitError(error)) throw error;
    await writeText(world.errors, `fatal: ${error.message}\n`);
    if (report !== 'nothing') await writeText(world.output, `${shown}: bad\n`);
    return false;
  }
  if (report === 'objects') await writeText(world.output, `${shown}: ok\n`);
  return true;
}
