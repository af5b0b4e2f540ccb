import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { bytesToHex, type ObjectId } from '../../src/core/object-id.ts';
import { selectObjects } from '../../src/repository/select-objects.ts';
import { computeDepth, type Deepen, INFINITE_DEPTH } from '../../src/repository/shallow.ts';
import { closureOf } from '../support/closure.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { type MapReader, readerOver, readObjectsOf } from '../support/object-reader.ts';
import { anyHistory, buildHistory, type History, type PlannedCommit } from '../support/random-history.ts';

/** A line of commits c0 … c9, a minute apart. */
const LINE: readonly PlannedCommit[] = Array.from({ length: 10 }, (_, content) => ({
  parents: [1],
  skew: 0,
  changes: [{ path: 'f', content }],
  gitlink: false,
  tagged: false,
}));

test('computeDepth() on a line of ten commits', async (context) => {
  const { directory, commits } = buildHistory(await scratchDirectory(context), LINE);
  const reader = readerOver(readObjectsOf(directory));
  const id = (number: number): ObjectId => commits[number] as ObjectId;
  const names = (ids: readonly ObjectId[]) => ids.map((each) => commits.indexOf(each)).sort();
  for (const [what, deepen, client, options, shallow, unshallow] of [
    ['one commit', { depth: 1 }, [], {}, [9], []],
    ['three commits', { depth: 3 }, [], {}, [7], []],
    ['exactly all', { depth: 10 }, [], {}, [0], []],
    ['more than all', { depth: 11 }, [], {}, [], []],
    ['three, from one', { depth: 3 }, [9], {}, [7], [9]],
    ['the same again', { depth: 3 }, [7], {}, [], []],
    ['one, from three', { depth: 1 }, [7], {}, [9], []],
    ['two more', { depth: 2 }, [7], { deepenRelative: true }, [5], [7]],
    ['two more than everything', { depth: 2 }, [], { deepenRelative: true }, [], []],
    ['everything', { depth: INFINITE_DEPTH }, [7, 4], {}, [], [7, 4]],
    ['everything this shallow repository has', { depth: INFINITE_DEPTH }, [7], { own: [2] }, [2], [7]],
    ['as far as this shallow repository goes', { depth: 9 }, [], { own: [4] }, [4], []],
    ['since a time', { since: 1_600_000_000 + 60 * 6 }, [], {}, [6], []],
    ['since a time, from one', { since: 1_600_000_000 + 60 * 6 }, [9], {}, [6], [9]],
    ['not what a ref reaches', { not: [id(4)] }, [], {}, [5], []],
  ] as const satisfies readonly (readonly [
    string,
    Deepen,
    readonly number[],
    object,
    readonly number[],
    readonly number[],
  ])[]) {
    const { own = [], ...others } = options as { own?: readonly number[]; deepenRelative?: boolean };
    const result = await computeDepth(reader, [id(9)], deepen, new Set(client.map(id)), {
      ...others,
      repositoryShallow: new Set(own.map(id)),
    });
    assert.deepEqual(
      [names(result.shallow), names(result.unshallow)],
      [[...shallow], [...unshallow].sort()],
      what,
    );
  }
  await assert.rejects(computeDepth(reader, [id(9)], { since: 2_000_000_000 }, new Set()), {
    code: 'PROTOCOL_VIOLATION',
  });
  await assert.rejects(computeDepth(reader, ['f'.repeat(40)], { depth: 1 }, new Set()), {
    code: 'OBJECT_MISSING',
  });
});

/** How the second fetch asks, in git's options and in ours. */
const anyDeepen = fc.oneof(
  fc
    .integer({ min: 1, max: 8 })
    .map((depth) => ({ option: `--depth=${depth}`, deepen: { depth }, relative: false })),
  fc
    .integer({ min: 1, max: 4 })
    .map((depth) => ({ option: `--deepen=${depth}`, deepen: { depth }, relative: true })),
  fc.constant({ option: '--unshallow', deepen: { depth: INFINITE_DEPTH }, relative: false }),
  fc.integer({ min: 0, max: 12 }).map((minutes) => {
    const since = 1_600_000_000 + 60 * minutes;
    return { option: `--shallow-since=${since}`, deepen: { since }, relative: false };
  }),
);

test('computeDepth() makes the boundary that git makes, and what is selected fills it', async (context) => {
  const [plan] = fc.sample(anyHistory(25), 1);
  const history = buildHistory(await scratchDirectory(context), plan ?? []);
  const reader = readerOver(readObjectsOf(history.directory));
  let clones = 0;
  const scratch = await scratchDirectory(context);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 12, max: 24 }),
      fc.integer({ min: 1, max: 4 }),
      // git 2.39 counts a relative depth from every shallow commit alike, later versions from the wants.
      anyDeepen.filter(({ relative }) => !relative),
      async (branch, depth, { option, deepen }) => {
        const tip = history.commits[branch] as ObjectId;
        const clone = join(scratch, `${clones++}`);
        const url = `file://${history.directory}`;
        git(
          scratch,
          'clone',
          '-q',
          '--bare',
          '--no-tags',
          `--depth=${depth}`,
          '-b',
          `c${branch}`,
          url,
          clone,
        );
        const client = new Client(reader);
        await client.fetch(tip, { depth }, false);
        assertSameBoundary(reader, tip, client.shallow, shallowFile(clone), 'clone');

        if (option === '--unshallow' && client.shallow.size === 0) return; // git refuses
        git(clone, 'fetch', '-q', '--no-tags', option, 'origin', `c${branch}`);
        await client.fetch(tip, deepen, false);
        assertSameBoundary(reader, tip, client.shallow, shallowFile(clone), option);
      },
    ),
    { numRuns: 12 },
  );
});

test('What is selected fills any boundary, whatever the client had', async (context) => {
  const [plan] = fc.sample(anyHistory(40, 500), 1);
  const history: History = buildHistory(await scratchDirectory(context), plan ?? []);
  const reader = readerOver(readObjectsOf(history.directory));
  const anyTip = fc.constantFrom(...history.commits.slice(15));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyTip, fc.option(anyDeepen, { nil: undefined })), { minLength: 2, maxLength: 5 }),
      async (fetches) => {
        const client = new Client(reader);
        for (const [tip, how] of fetches) await client.fetch(tip, how?.deepen, how?.relative ?? false);
      },
    ),
    { numRuns: 150 },
  );
});

/** A client that keeps its objects and boundary, and lacks nothing after each fetch. */
class Client {
  readonly shallow = new Set<ObjectId>();
  readonly #objects = new Set<ObjectId>();
  readonly #tips = new Set<ObjectId>();
  readonly #reader: MapReader;

  constructor(reader: MapReader) {
    this.#reader = reader;
  }

  async fetch(want: ObjectId, deepen: Deepen | undefined, deepenRelative: boolean): Promise<void> {
    const clientShallow = new Set(this.shallow);
    const decision = await this.#decide(want, deepen, deepenRelative, clientShallow);
    if (decision === undefined) return;
    const selection = await selectObjects(this.#reader, {
      wants: [want],
      haves: [...this.#tips],
      shallow: new Set(decision.shallow),
      clientShallow,
      unshallow: decision.unshallow,
      thin: false,
    });
    for (let i = 0; i < selection.count; i++) this.#objects.add(bytesToHex(selection.ids, i * 20, 20));
    for (const id of decision.shallow) this.shallow.add(id);
    for (const id of decision.unshallow) this.shallow.delete(id);
    this.#tips.add(want);
    for (const id of closureOf(this.#reader.objects, [...this.#tips], this.shallow)) {
      assert.ok(this.#objects.has(id), `${id} is lacking`);
    }
  }

  async #decide(
    want: ObjectId,
    deepen: Deepen | undefined,
    deepenRelative: boolean,
    clientShallow: ReadonlySet<ObjectId>,
  ): Promise<{ shallow: readonly ObjectId[]; unshallow: readonly ObjectId[] } | undefined> {
    if (deepen === undefined) return { shallow: [], unshallow: [] };
    try {
      return await computeDepth(this.#reader, [want], deepen, clientShallow, { deepenRelative });
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'PROTOCOL_VIOLATION');
      return undefined; // nothing is as young as was asked for
    }
  }
}

/**
 * The same commits end the history of `tip`. Beyond them git's answers name others, which a boundary commit
 * hides: some of them it does not even send.
 */
function assertSameBoundary(
  reader: MapReader,
  tip: ObjectId,
  ours: ReadonlySet<ObjectId>,
  gits: ReadonlySet<ObjectId>,
  message: string,
): void {
  const endsOf = (shallow: ReadonlySet<ObjectId>): ObjectId[] => {
    const reached = closureOf(reader.objects, [tip], shallow);
    return [...shallow].filter((id) => reached.has(id)).sort();
  };
  assert.deepEqual(endsOf(ours), endsOf(gits), message);
}

function shallowFile(repository: string): Set<ObjectId> {
  const path = join(repository, 'shallow');
  return new Set(existsSync(path) ? readFileSync(path, 'latin1').split('\n').filter(Boolean) : []);
}
