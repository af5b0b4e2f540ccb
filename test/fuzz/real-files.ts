/**
 * Files of a repository that git made: what mutations begin from.
 *
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git, gitBytes } from '../support/git.ts';
import { makeHistory } from '../support/made-history.ts';

export interface RealFiles {
  readonly pack: Uint8Array;
  /** A pack without its delta's bases. */
  readonly thinPack: Uint8Array;
  readonly idx: Uint8Array;
  readonly idxV1: Uint8Array;
  readonly rev: Uint8Array;
  readonly bitmap: Uint8Array;
  readonly multiPackIndex: Uint8Array;
  readonly commitGraph: Uint8Array;
  readonly commitGraphLevels: Uint8Array;
  readonly loose: readonly Uint8Array[];
  readonly commits: readonly Uint8Array[];
  readonly trees: readonly Uint8Array[];
  readonly tags: readonly Uint8Array[];
  readonly packedRefs: Uint8Array;
  readonly reflog: Uint8Array;
  readonly config: Uint8Array;
  readonly ids: readonly string[];
  readonly objectCount: number;
  readonly packBytes: number;
}

let made: RealFiles | undefined;

/** Made once a process, in a second. */
export function realFiles(): RealFiles {
  made ??= make();
  return made;
}

const COMMITS = 24;

function make(): RealFiles {
  const directory = mkdtempSync(join(tmpdir(), 'packwire-fuzz-'));
  try {
    const run = (...args: readonly string[]): string => git(directory, ...args);
    const commits = makeHistory(
      directory,
      Array.from({ length: COMMITS }, (_, i) => ({
        parents: i === 0 ? [] : i % 7 === 6 ? [i - 1, i - 3] : [i - 1],
        time: 60 * i,
      })),
    );
    const tip = commits[COMMITS - 1] as string;
    run('tag', '-a', '-m', 'first', 'v1', commits[3] as string);
    run('tag', '-a', '-m', 'second', 'v2', 'v1');
    run('update-ref', '--create-reflog', '-m', 'push', 'refs/heads/main', tip);
    run('update-ref', '-m', 'push', 'refs/heads/main', commits[5] as string);
    const loose = looseFiles(directory, run);
    const thinPack = gitBytes(
      { cwd: directory, input: `${tip}\n^${commits[12]}\n` },
      'pack-objects',
      '--revs',
      '--thin',
      '--stdout',
      '--delta-base-offset',
    );
    run('-c', 'commitGraph.generationVersion=1', 'commit-graph', 'write', '--reachable');
    const commitGraphLevels = found(directory, 'info/commit-graph');
    rmSync(join(directory, 'objects/info/commit-graph'));
    run('commit-graph', 'write', '--reachable');
    run('-c', 'pack.writeReverseIndex=true', 'repack', '-adfq', '--write-bitmap-index', '--depth=4');
    const pack = found(directory, '.pack');
    const idx = found(directory, '.idx');
    const files = { rev: found(directory, '.rev'), bitmap: found(directory, '.bitmap') };
    run('multi-pack-index', 'write');
    run('pack-refs', '--all');
    const objects = run('cat-file', '--batch-all-objects', '--batch-check=%(objectname) %(objecttype)')
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]);
    const contents = (kind: string): Uint8Array[] =>
      objects
        .filter(([, type]) => type === kind)
        .slice(0, 8)
        .map(([id]) => new Uint8Array(gitBytes(directory, 'cat-file', kind, id)));
    const packPath = readdirSync(join(directory, 'objects/pack')).find((name) =>
      name.endsWith('.pack'),
    ) as string;
    run('index-pack', '--index-version=1', '-o', 'v1.idx', join('objects/pack', packPath));
    return {
      ...files,
      pack,
      thinPack: new Uint8Array(thinPack),
      idx,
      idxV1: bytesOf(directory, 'v1.idx'),
      multiPackIndex: found(directory, 'multi-pack-index'),
      commitGraph: found(directory, 'info/commit-graph'),
      commitGraphLevels,
      loose,
      commits: contents('commit'),
      trees: contents('tree'),
      tags: contents('tag'),
      packedRefs: bytesOf(directory, 'packed-refs'),
      reflog: bytesOf(directory, 'logs/refs/heads/main'),
      config: bytesOf(directory, 'config'),
      ids: objects.map(([id]) => id),
      objectCount: objects.length,
      packBytes: pack.length,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function looseFiles(directory: string, run: (...args: readonly string[]) => string): Uint8Array[] {
  const texts = ['', 'hello\n', 'long line of text\n'.repeat(1000)];
  return texts.map((input) => {
    const id = git({ cwd: directory, input }, 'hash-object', '-w', '--stdin').trim();
    run('update-ref', `refs/blobs/${id}`, id); // kept by the repack
    return bytesOf(directory, join('objects', id.slice(0, 2), id.slice(2)));
  });
}

function found(directory: string, ending: string): Uint8Array {
  const objects = join(directory, 'objects');
  const names = readdirSync(objects, { recursive: true, encoding: 'utf8' });
  return bytesOf(objects, names.find((name) => name.endsWith(ending)) as string);
}

function bytesOf(directory: string, name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(directory, name)));
}
