/**
 * `index-pack --strict`: what the check of a pack's objects has found, told as git tells it.
 *
 * @module
 */
import { nodeRuntime } from '../core/node/runtime.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import { Pace } from '../core/pace.ts';
import { indexedPackReader } from '../odb/indexed-pack-reader.ts';
import { type FsckRules, fsckRules } from '../pack/fsck/rules.ts';
import type { IndexedPack } from '../pack/index-pack.ts';
import type { RandomAccessFile } from '../pack/stored-pack.ts';
import { checkSpecialBlobs } from '../repository/fsck/special-blobs.ts';
import { usageError } from './arguments.ts';
import type { CommandWorld } from './command.ts';
import { writeText } from './output.ts';

/**
 * The rules that `--strict` or `--fsck-objects` asks for.
 *
 * @param values of the options given: `<msg-id>=<severity>,…`, `''` for none
 * @throws {GitError} a usage error; INVALID_ARGUMENT
 */
export function strictRules(...values: readonly (string | undefined)[]): FsckRules | undefined {
  const given = values.filter((value) => value !== undefined);
  if (given.length === 0) return undefined;
  const settings = given
    .flatMap((value) => value.split(/[ ,|]+/))
    .filter((setting) => setting !== '')
    .map((setting): [string, string] => {
      const [, name, severity] = /^([^=:]+)[=:](.*)$/.exec(setting) ?? [];
      if (name === undefined || severity === undefined) throw usageError(`Missing '=': '${setting}'`);
      return [name, severity];
    });
  return fsckRules(settings);
}

/** @throws {GitError} FSCK_FAILED */
export async function reportFindings(
  format: ObjectFormat,
  pack: IndexedPack,
  file: RandomAccessFile,
  world: CommandWorld,
): Promise<void> {
  const { findings } = pack;
  if (findings === undefined) return;
  findings.throwIfError();
  if (findings.blobs.gitmodules.size + findings.blobs.gitattributes.size > 0) {
    const reader = indexedPackReader(pack, file, { format, runtime: nodeRuntime });
    try {
      await checkSpecialBlobs(reader, findings, new Pace(undefined));
    } finally {
      reader.release();
    }
  }
  for (const { id, message, text } of findings.warnings) {
    await writeText(world.errors, `warning: object ${id}: ${message}: ${text}\n`);
  }
  findings.throwIfError();
}
