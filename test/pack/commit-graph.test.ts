import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodeLatin1 } from '../../src/core/bytes.ts';
import { isGitError } from '../../src/core/errors.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import {
  bytesToHex,
  hexToBytes,
  type ObjectFormat,
  objectFormatByName,
  SHA1,
} from '../../src/core/object-id.ts';
import { type CommitGraph, parseCommitGraph, type StoredCommitGraph } from '../../src/pack/commit-graph.ts';
import { type BitmappedRepository, plainRepository, resealed } from '../support/bitmapped-repository.ts';
import { chunkFile, fanout, words } from '../support/chunk-file.ts';
import { git } from '../support/git.ts';

const runtime = nodeRuntime;
const options = { format: SHA1, runtime };
const NONE = 0x70000000;
const id = (first: number): Uint8Array => new Uint8Array(20).fill(first);
const ids = (...firsts: readonly number[]): Uint8Array =>
  Uint8Array.from(firsts.flatMap((first) => [...id(first)]));
const HEADER = new Uint8Array([...encodeLatin1('CGPH'), 1, 1, 0, 0]);

/** A row of commit data: the tree is its first byte twenty times; the date is beyond 2^32. */
const row = (tree: number, first: number, second: number, level: number): Uint8Array =>
  Uint8Array.from([...id(tree), ...words(first, second, level * 4 + 1, 7)]);

/** Commit 1 is a root, 2 its child; 5 merges 2 and 1; 7 merges all three. */
const CHUNKS = {
  OIDF: fanout([1, 2, 5, 7]),
  OIDL: ids(1, 2, 5, 7),
  CDAT: Uint8Array.from([
    ...row(101, NONE, NONE, 1),
    ...row(102, 0, NONE, 2),
    ...row(105, 1, 0, 3),
    ...row(107, 2, 0x80000000, 4),
  ]),
  EDGE: words(0, 0x80000001),
};

/** Corrected dates: offsets to the date; the last in the table of overflows. */
const CORRECTED = { GDA2: words(0, 1, 2, 0x80000000), GDO2: words(1, 5) };

function parentsOf(graph: CommitGraph, position: number): number[] {
  return Array.from({ length: graph.parentCountOf(position) }, (_, n) => graph.parentOf(position, n));
}

test('parseCommitGraph() reads what commits say', () => {
  const graph = parseCommitGraph(chunkFile(HEADER, CHUNKS, SHA1), options);
  assert.equal(graph.commitCount, 4);
  assert.equal(graph.find(id(5), 0), 2);
  assert.equal(graph.find(id(6), 0), -1);
  assert.deepEqual(
    [0, 1, 2, 3].map((position) => parentsOf(graph, position)),
    [[], [0], [1, 0], [2, 0, 1]],
  );
  const tree = new Uint8Array(20);
  graph.copyTreeId(2, tree, 0);
  assert.deepEqual(tree, id(105));
  assert.equal(graph.dateOf(0), 2 ** 32 + 7);
});

test('generations are levels, or corrected dates where there are any', () => {
  const levels = parseCommitGraph(chunkFile(HEADER, CHUNKS, SHA1), options);
  assert.deepEqual(
    [0, 1, 2, 3].map((position) => levels.generationOf(position)),
    [1, 2, 3, 4],
  );
  const dates = parseCommitGraph(chunkFile(HEADER, { ...CHUNKS, ...CORRECTED }, SHA1), options);
  const date = 2 ** 32 + 7;
  assert.deepEqual(
    [0, 1, 2, 3].map((position) => dates.generationOf(position) - date),
    [0, 1, 2, 2 ** 32 + 5],
  );
});

test('without levels there are no generations', () => {
  const CDAT = Uint8Array.from([...row(1, NONE, NONE, 0), ...row(2, 0, NONE, 0)]);
  const bytes = chunkFile(HEADER, { OIDF: fanout([1, 2]), OIDL: ids(1, 2), CDAT }, SHA1);
  const graph = parseCommitGraph(bytes, options);
  assert.equal(graph.generationOf(0), 0);
  assert.equal(graph.generationOf(1), 0);
});

const changedRow = (at: number, ...bytes: readonly number[]): Uint8Array =>
  Uint8Array.from(CHUNKS.CDAT, (byte, i) =>
    i >= 36 * at && i < 36 * (at + 1) ? (bytes[i - 36 * at] as number) : byte,
  );

for (const [what, changed, code] of [
  ['a chunk nobody knows', { chunks: { ZZZZ: words(1) } }, undefined],
  ['version 2', { header: [4, 2] }, 'UNSUPPORTED'],
  ['another hash function', { header: [5, 2] }, 'UNSUPPORTED'],
  ['another signature', { header: [1, 0] }, 'PACK_CORRUPT'],
  ['one that builds on a file nobody gave', { header: [7, 1], chunks: { BASE: id(1) } }, 'PACK_CORRUPT'],
  ['fewer commits than it counts', { chunks: { CDAT: row(1, NONE, NONE, 1) } }, 'PACK_CORRUPT'],
  ['fewer generations than it counts', { chunks: { GDA2: words(1) } }, 'PACK_CORRUPT'],
  ['a parent that is not there', { chunks: { CDAT: changedRow(1, ...row(2, 9, NONE, 2)) } }, 'PACK_CORRUPT'],
  [
    'a commit that is its own parent',
    { chunks: { CDAT: changedRow(1, ...row(2, 1, NONE, 2)) } },
    'PACK_CORRUPT',
  ],
  ['a level below that of a parent', { chunks: { CDAT: changedRow(2, ...row(5, 1, 0, 2)) } }, 'PACK_CORRUPT'],
  ['corrected dates that descend', { chunks: { GDA2: words(0, 1, 0, 3) } }, 'PACK_CORRUPT'],
  [
    'overflows that are not there',
    { chunks: { GDA2: words(0, 1, 2, 0x80000001), GDO2: words(0, 9) } },
    'PACK_CORRUPT',
  ],
  ['edges that do not end', { chunks: { EDGE: words(0, 1) } }, 'PACK_CORRUPT'],
] as const) {
  test(`parseCommitGraph() ${code === undefined ? 'reads' : 'refuses'} ${what}`, () => {
    const { header, chunks } = { header: undefined, chunks: {}, ...changed };
    const head = HEADER.slice();
    if (header !== undefined) head[header[0]] = header[1];
    const bytes = chunkFile(head, { ...CHUNKS, ...chunks }, SHA1);
    if (code === undefined) assert.equal(parseCommitGraph(bytes, options).commitCount, 4);
    else assert.throws(() => parseCommitGraph(bytes, options), { code });
  });
}

test('a layer goes on where the one below it ends', () => {
  const base = parseCommitGraph(chunkFile(HEADER, CHUNKS, SHA1), options);
  const header = HEADER.slice();
  header[7] = 1;
  const chunks = {
    OIDF: fanout([3, 9]),
    OIDL: ids(3, 9),
    CDAT: Uint8Array.from([...row(103, 3, NONE, 5), ...row(109, 4, 1, 6)]),
  };
  const top = parseCommitGraph(chunkFile(header, { ...chunks, BASE: base.checksum }, SHA1), options, base);
  assert.equal(top.commitCount, 6);
  assert.equal(top.find(id(9), 0), 5);
  assert.equal(top.find(id(2), 0), 1);
  assert.deepEqual(parentsOf(top, 5), [4, 1]);
  assert.deepEqual(parentsOf(top, 3), [2, 0, 1]);
  for (const BASE of [id(0), base.checksum.subarray(1)]) {
    assert.throws(() => parseCommitGraph(chunkFile(header, { ...chunks, BASE }, SHA1), options, base), {
      code: 'PACK_CORRUPT',
    });
  }
  assert.throws(() => parseCommitGraph(chunkFile(HEADER, chunks, SHA1), options, base), {
    code: 'PACK_CORRUPT',
  });
});

test('dates are corrected only when every layer has corrected dates', () => {
  const base = parseCommitGraph(chunkFile(HEADER, { ...CHUNKS, ...CORRECTED }, SHA1), options);
  const header = HEADER.slice();
  header[7] = 1;
  const chunks = { OIDF: fanout([3]), OIDL: ids(3), CDAT: row(103, 3, NONE, 5), BASE: base.checksum };
  const top = parseCommitGraph(chunkFile(header, chunks, SHA1), options, base);
  assert.equal(top.generationOf(3), 4);
  assert.equal(top.generationOf(4), 5);
});

/** Everything in the graph against `git log`. @returns how many commits are in it */
function assertAgrees(graph: CommitGraph, repository: BitmappedRepository, format: ObjectFormat): number {
  const hexAt = (
    copy: (position: number, target: Uint8Array, at: number) => void,
    position: number,
  ): string => {
    const raw = new Uint8Array(format.idBytes);
    copy.call(graph, position, raw, 0);
    return bytesToHex(raw);
  };
  let found = 0;
  for (const line of repository.git('log', '--all', '--format=%H %T %ct %P').trim().split('\n')) {
    const [commit = '', tree, date, ...parents] = line.trim().split(' ');
    const position = graph.find(hexToBytes(commit), 0);
    if (position < 0) continue;
    found++;
    assert.equal(hexAt(graph.copyId, position), commit);
    assert.equal(hexAt(graph.copyTreeId, position), tree);
    assert.equal(graph.dateOf(position), Number(date));
    const named = parentsOf(graph, position);
    assert.deepEqual(
      named.map((parent) => hexAt(graph.copyId, parent)),
      parents,
    );
    for (const parent of named) assert.ok(graph.generationOf(position) > graph.generationOf(parent));
  }
  assert.equal(found, graph.commitCount);
  return found;
}

for (const [what, format, args] of [
  ['a graph', 'sha1', []],
  ['a graph of SHA-256', 'sha256', []],
  ['a graph with changed paths', 'sha1', ['--changed-paths']],
  ['a graph with levels only', 'sha1', ['-c', 'commitGraph.generationVersion=1']],
] as const) {
  test(`${what} says what git log says`, async (context) => {
    const repository = await plainRepository(context, { format });
    const isConfig = args[0] === '-c';
    repository.git(
      ...(isConfig ? args : []),
      'commit-graph',
      'write',
      '--reachable',
      ...(isConfig ? [] : args),
    );
    const graph = parseCommitGraph(repository.read('commit-graph'), {
      format: objectFormatByName(format),
      runtime,
    });
    assert.equal(assertAgrees(graph, repository, objectFormatByName(format)), repository.commits.length);
  });
}

for (const args of [[], ['--changed-paths']]) {
  test(`a chain of graphs says what git log says ${args.join()}`, async (context) => {
    const repository = await plainRepository(context);
    for (const count of [10, 25, 40]) {
      repository.git('update-ref', `refs/heads/c${count}`, repository.commits[count - 1] as string);
      const input = repository.commits.slice(0, count).join('\n');
      git(
        { cwd: repository.path, input },
        'commit-graph',
        'write',
        '--stdin-commits',
        '--split=no-merge',
        ...args,
      );
    }
    const directory = `${repository.path}/objects/info/commit-graphs`;
    const names = readFileSync(`${directory}/commit-graph-chain`, 'latin1').trim().split('\n');
    assert.equal(names.length, 3);
    let graph: StoredCommitGraph | undefined;
    for (const name of names) {
      graph = parseCommitGraph(
        new Uint8Array(readFileSync(`${directory}/graph-${name}.graph`)),
        options,
        graph,
      );
    }
    assert.equal(assertAgrees(graph as StoredCommitGraph, repository, SHA1), 40);
  });
}

test('a bit flipped anywhere is refused; with the checksum fixed there are answers or a GitError', () => {
  const good = chunkFile(HEADER, { ...CHUNKS, ...CORRECTED }, SHA1);
  const isRefusal = (error: unknown): boolean => isGitError(error, 'PACK_CORRUPT', 'UNSUPPORTED');
  fc.assert(
    fc.property(fc.nat(8 * good.length - 1), (bit) => {
      const bytes = good.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      assert.throws(() => parseCommitGraph(bytes, options), isRefusal);
      assert.throws(() => parseCommitGraph(good.subarray(0, bit >> 3), options), isRefusal);
      try {
        const graph = parseCommitGraph(resealed(bytes, SHA1), options);
        for (let position = 0; position < graph.commitCount; position++) {
          for (const parent of parentsOf(graph, position)) assert.ok(parent < graph.commitCount);
          graph.dateOf(position);
        }
      } catch (error) {
        assert.ok(isRefusal(error));
      }
    }),
    { numRuns: 2000 },
  );
});
