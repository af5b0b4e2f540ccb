import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { isGitError } from '../../src/core/errors.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { hexToBytes, type ObjectId, SHA1 } from '../../src/core/object-id.ts';
import { openFilesObjectDatabase } from '../../src/odb/node/files-object-database.ts';
import type { ObjectReader } from '../../src/odb/object-database.ts';
import { checkConnectivity } from '../../src/repository/connectivity.ts';
import { IdTable } from '../../src/repository/id-table.ts';
import { allWantsReach } from '../../src/repository/negotiation-reach.ts';
import { unreachableOf } from '../../src/repository/reachability.ts';
import { selectObjects } from '../../src/repository/select-objects.ts';
import { computeDepth } from '../../src/repository/shallow.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { anyHistory, buildHistory, type History } from '../support/random-history.ts';

/** Counts the objects that are read in full. */
interface CountingReader {
  readonly reader: ObjectReader;
  readonly reads: () => number;
}

interface Scene extends History {
  readonly withGraph: CountingReader;
  readonly without: CountingReader;
}

/** Ways to write a graph of all commits, and of some. */
const GRAPHS = {
  'one file': (directory: string) => git(directory, 'commit-graph', 'write', '--reachable'),
  'levels only': (directory: string) =>
    git(directory, '-c', 'commitGraph.generationVersion=1', 'commit-graph', 'write', '--reachable'),
  'the older half': (directory: string, commits: readonly ObjectId[]) =>
    git(
      { cwd: directory, input: commits.slice(0, commits.length >> 1).join('\n') },
      ...['commit-graph', 'write', '--stdin-commits'],
    ),
  'a chain': (directory: string, commits: readonly ObjectId[]) => {
    for (const part of [3, 2, 1]) {
      git(
        { cwd: directory, input: commits.slice(0, Math.floor(commits.length / part)).join('\n') },
        ...['commit-graph', 'write', '--stdin-commits', '--split=no-merge'],
      );
    }
  },
} as const;

async function makeScene(context: TestContext, kind: keyof typeof GRAPHS, count: number): Promise<Scene> {
  const [plan = []] = fc.sample(anyHistory(count, 3000), 1);
  const history = buildHistory(await scratchDirectory(context), plan);
  git(history.directory, 'repack', '-adq', '--no-write-bitmap-index');
  GRAPHS[kind](history.directory, history.commits);
  return openScene(context, history);
}

async function openScene(context: TestContext, history: History): Promise<Scene> {
  const open = async (commitGraph: boolean): Promise<CountingReader> => {
    const database = await openFilesObjectDatabase(join(history.directory, 'objects'), {
      format: SHA1,
      runtime: nodeRuntime,
      shortCuts: { commitGraph },
      onWarning: (warning) => assert.fail(warning),
    });
    context.after(() => database.close());
    const reader = await database.openReader();
    context.after(() => reader.release());
    assert.equal(reader.commitGraph !== undefined, commitGraph);
    return counting(reader);
  };
  return { ...history, withGraph: await open(true), without: await open(false) };
}

function counting(reader: ObjectReader): CountingReader {
  let count = 0;
  const viewRaw: ObjectReader['viewRaw'] = (ids, at, into) => {
    count++;
    return reader.viewRaw(ids, at, into);
  };
  const counted = new Proxy(reader, {
    get: (target, key) => {
      if (key === 'viewRaw') return viewRaw;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { reader: counted, reads: () => count };
}

/** What `ask` gives or throws is the same with the graph and without. */
async function assertSame(
  { withGraph, without }: Scene,
  ask: (reader: ObjectReader) => Promise<unknown>,
): Promise<void> {
  const outcome = async (reader: ObjectReader): Promise<unknown> => {
    try {
      return await ask(reader);
    } catch (error) {
      assert.ok(isGitError(error), String(error));
      return { code: error.code, detail: error.detail };
    }
  };
  assert.deepEqual(await outcome(withGraph.reader), await outcome(without.reader));
}

async function selected(reader: ObjectReader, wants: ObjectId[], haves: ObjectId[]): Promise<string[]> {
  const { ids, count } = await selectObjects(reader, { wants, haves, thin: true });
  const hex = Buffer.from(ids).toString('hex');
  return Array.from({ length: count }, (_, i) => hex.slice(40 * i, 40 * (i + 1)));
}

for (const kind of Object.keys(GRAPHS) as (keyof typeof GRAPHS)[]) {
  test(`walks by the commit-graph give what reading commits gives (${kind})`, async (context) => {
    const scene = await makeScene(context, kind, 60);
    const anyCommits = fc.array(fc.constantFrom(...scene.commits, ...scene.tags), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(anyCommits, anyCommits, fc.nat(6000), fc.nat(5), async (some, others, ago, depth) => {
        await assertSame(scene, (reader) => selected(reader, some, others));
        await assertSame(scene, (reader) => unreachableOf(reader, some, others));
        await assertSame(scene, (reader) => checkConnectivity(reader, some, others));
        await assertSame(scene, (reader) =>
          computeDepth(reader, some, { depth: depth + 1 }, new Set(others)),
        );
        const since = 1_600_000_000 + 60 * 60 - ago;
        await assertSame(scene, (reader) =>
          computeDepth(reader, some, { since, not: others.slice(1) }, new Set()),
        );
        const common = new IdTable(SHA1, 100);
        for (const id of others) common.add(hexToBytes(id), 0);
        await assertSame(scene, (reader) => allWantsReach(reader, some, common, since));
      }),
      { numRuns: 60 },
    );
  });
}

test('allWantsReach() is the same when the search becomes long', async (context) => {
  const scene = await makeScene(context, 'the older half', 700);
  const anyCommits = fc.array(fc.constantFrom(...scene.commits), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(anyCommits, anyCommits, async (some, others) => {
      const common = new IdTable(SHA1, 100);
      for (const id of others) common.add(hexToBytes(id), 0);
      await assertSame(scene, (reader) => allWantsReach(reader, some, common, 0));
    }),
    { numRuns: 100 },
  );
});

test('commits that the graph knows are not read', async (context) => {
  const scene = await makeScene(context, 'one file', 40);
  const tips = [scene.commits.at(-1) as ObjectId];
  const wants = [scene.commits[0] as ObjectId, scene.commits[20] as ObjectId];
  const before = scene.withGraph.reads();
  await unreachableOf(scene.withGraph.reader, wants, tips);
  assert.equal(scene.withGraph.reads(), before);
  await unreachableOf(scene.without.reader, wants, tips);
  assert.ok(scene.without.reads() > 0);
});

test('a shallow commit of the graph has no parents', async (context) => {
  const scene = await makeScene(context, 'one file', 40);
  const tip = scene.commits.at(-1) as ObjectId;
  for (const id of scene.commits) {
    const shallow = new Set([id]);
    await assertSame(scene, (reader) => unreachableOf(reader, [...scene.commits], [tip], { shallow }));
    await assertSame(scene, (reader) => checkConnectivity(reader, [tip], [], { shallow }));
  }
});

test('a commit that the graph knows and that is gone is missing', async (context) => {
  const [plan = []] = fc.sample(anyHistory(30), 1);
  const history = buildHistory(await scratchDirectory(context), plan);
  const { directory, commits } = history;
  git(directory, 'commit-graph', 'write', '--reachable');
  unpackAll(directory);
  const tip = git(directory, 'rev-list', '--all', '--max-count=1').trim();
  const gone = git(directory, 'rev-list', tip).trim().split('\n')[2];
  assert.ok(gone !== undefined && commits.includes(gone));
  rmSync(`${directory}/objects/${gone.slice(0, 2)}/${gone.slice(2)}`);

  const scene = await openScene(context, history);
  await assertSame(scene, (reader) => checkConnectivity(reader, [tip], []));
  const { reader } = scene.withGraph;
  const outcome = await checkConnectivity(reader, [tip], []);
  assert.ok(!outcome.ok && outcome.missing === gone);
  await assert.rejects(selected(reader, [tip], []), { code: 'OBJECT_MISSING' });
});

function unpackAll(directory: string): void {
  const packs = `${directory}/objects/pack`;
  for (const name of readdirSync(packs).filter((name) => name.endsWith('.pack'))) {
    const moved = `${directory}/${name}`;
    renameSync(`${packs}/${name}`, moved);
    rmSync(`${packs}/${name.replace(/\.pack$/, '.idx')}`);
    git({ cwd: directory, input: readFileSync(moved) }, 'unpack-objects', '-q');
  }
}
