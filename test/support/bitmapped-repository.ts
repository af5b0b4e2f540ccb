/**
 * Bare repositories with the files that git keeps beside packs: bitmaps, multi-pack-index, commit-graph.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import type { ObjectFormat } from '../../src/core/object-id.ts';
import { git, scratchDirectory } from './git.ts';
import { makeHistory } from './made-history.ts';

export interface BitmappedRepository {
  readonly path: string;
  /** Commits, oldest first: two lines with merges between them, and one merge of three. */
  readonly commits: readonly string[];
  git(...args: readonly string[]): string;
  /** The bytes of the only file in `objects/` of this ending. */
  read(ending: string): Uint8Array;
}

/** Without any of these files; everything in loose objects or fast-import's packs. */
export async function plainRepository(
  context: Pick<TestContext, 'after'>,
  { format = 'sha1', count = 40 }: { readonly format?: 'sha1' | 'sha256'; readonly count?: number } = {},
): Promise<BitmappedRepository> {
  const path = await scratchDirectory(context);
  const commits = makeHistory(
    path,
    Array.from({ length: count }, (_, i) => ({ parents: parentsOf(i), time: 60 * i })),
    { format },
  );
  const run = (...args: readonly string[]): string => git(path, ...args);
  run('tag', '-a', '-m', 'first', 'v1', commits[count >> 1] as string);
  run('tag', '-a', '-m', 'second', 'v2', commits[count - 1] as string);
  return { path, commits, git: run, read: (ending) => new Uint8Array(readFileSync(fileIn(path, ending))) };
}

/** Where the only file in `objects/` of this ending is. */
export function fileIn(repository: string, ending: string): string {
  const objects = join(repository, 'objects');
  const found = readdirSync(objects, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith(ending),
  );
  if (found.length !== 1) throw new Error(`${found.length} files end with ${ending}`);
  return join(objects, found[0] as string);
}

function parentsOf(i: number): number[] {
  if (i === 0) return [];
  if (i % 11 === 10) return [i - 1, i - 2, i - 4];
  if (i % 7 === 6) return [i - 1, i - 3];
  return [i % 3 === 1 && i > 1 ? i - 2 : i - 1];
}

/** The bytes with the hash they end with made right again. */
export function resealed(bytes: Uint8Array, format: ObjectFormat): Uint8Array {
  const sealed = bytes.slice();
  const end = sealed.length - format.idBytes;
  nodeRuntime.hashInto(format, sealed, 0, end, sealed, end);
  return sealed;
}
