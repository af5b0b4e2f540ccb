/**
 * The same history stored in different ways: with bitmaps that cover all of it, or a part, or nothing.
 *
 * @module
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectId } from '../../src/core/object-id.ts';
import { git } from './git.ts';

/** How a history is laid out, by name; each takes a bare repository and the refs of its later part. */
export const LAYOUTS: Readonly<Record<string, (directory: string, later: readonly string[]) => void>> = {
  'one pack with bitmaps': (directory) => git(directory, 'repack', '-adbq'),
  'bitmaps of the older part, the rest loose': bitmapOlderPart,
  'bitmaps of the older part, the rest in a pack': (directory, later) => {
    bitmapOlderPart(directory, later);
    git(directory, 'repack', '-dq');
  },
  'two packs with one multi-pack bitmap': (directory, later) => {
    bitmapOlderPart(directory, later);
    git(directory, 'repack', '-dq');
    git(directory, 'multi-pack-index', 'write', '--bitmap');
  },
  'one pack without bitmaps': (directory) =>
    git(directory, '-c', 'repack.writeBitmaps=false', 'repack', '-adq'),
  'two packs and loose objects, without bitmaps': (directory, later) => {
    bitmapOlderPart(directory, later);
    removeBitmaps(directory);
  },
};

export function removeBitmaps(directory: string): void {
  const packs = join(directory, 'objects', 'pack');
  for (const name of readdirSync(packs)) if (name.endsWith('.bitmap')) rmSync(join(packs, name));
}

/** Repack as if the later refs did not exist; what only they reach becomes loose. */
function bitmapOlderPart(directory: string, later: readonly string[]): void {
  const refs = git(directory, 'for-each-ref', '--format=%(objectname) %(refname)').trimEnd().split('\n');
  const hidden = new Set(later);
  const isLater = (line: string): boolean => hidden.has(line.split(' ')[1] ?? '');
  const commands = (verb: (id: ObjectId, name: string) => string): string =>
    refs
      .filter(isLater)
      .map((line) => {
        const [id = '', name = ''] = line.split(' ');
        return `${verb(id, name)}\n`;
      })
      .join('');
  git({ cwd: directory, input: commands((_, name) => `delete ${name}`) }, 'update-ref', '--stdin');
  git(directory, 'repack', '-Adbq');
  git({ cwd: directory, input: commands((id, name) => `create ${name} ${id}`) }, 'update-ref', '--stdin');
}
