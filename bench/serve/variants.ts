/**
 * The same repository with bitmaps and without, made of hard links where nothing has to be written.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export type Variant = 'bitmap' | 'none';

const AUXILIARY = /\.(bitmap|rev)$|^multi-pack-index/;

/** @returns the directory, below `root`, of a bare repository that holds what `repository` holds */
export function makeVariant(repository: string, root: string, variant: Variant): string {
  const target = join(root, `${variant}.git`);
  run('cp', ['-al', repository, target]);
  const packs = join(target, 'objects', 'pack');
  if (variant === 'none') {
    for (const name of readdirSync(packs))
      if (AUXILIARY.test(name)) rmSync(join(packs, name), { force: true });
    rmSync(join(target, 'objects', 'info', 'commit-graph'), { force: true });
    rmSync(join(target, 'objects', 'info', 'commit-graphs'), { recursive: true, force: true });
  } else if (!readdirSync(packs).some((name) => name.endsWith('.bitmap'))) {
    process.stderr.write('repacking with bitmaps, which may take minutes\n');
    run('git', ['-C', target, 'repack', '-adbq']);
  }
  if (!existsSync(packs)) throw new Error(`${repository} is no bare repository`);
  return target;
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}
