import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import type { ObjectId } from '../../../src/core/object-id.ts';
import type { ObjectReader } from '../../../src/odb/object-database.ts';
import { openRepository } from '../../../src/repository/node/open-repository.ts';
import { parseObjectFilter } from '../../../src/repository/object-filter.ts';
import {
  type SelectionOptions,
  type SelectionRequest,
  selectObjects,
} from '../../../src/repository/select-objects.ts';
import { git, scratchDirectory } from '../../support/git.ts';
import { allIdsOf } from '../../support/object-selections.ts';
import { anyHistory, buildHistory } from '../../support/random-history.ts';
import { LAYOUTS } from '../../support/stored-layouts.ts';
import { drain } from '../../support/streams.ts';
import { writeSelection } from '../../support/written-pack.ts';

const COMMITS = 30;
const QUERIES = 14;
const FILTERS = [
  undefined,
  'blob:none',
  'blob:limit=10',
  'tree:0',
  'object:type=tree',
  'object:type=commit',
  'combine:blob:limit=10+object:type=blob',
];
/** Sets are used and learned however little is to be walked. */
const ALWAYS: SelectionOptions = { mostWalkedCommits: 0, leastLearned: 0 };

interface KnownObject {
  readonly kind: string;
  readonly sizeBytes: number;
}

/** What the wants reach and the haves do not, and passes the filter or was asked for by name. */
function expected(
  directory: string,
  objects: ReadonlyMap<ObjectId, KnownObject>,
  wants: readonly ObjectId[],
  haves: readonly ObjectId[],
  filter: string | undefined,
): ObjectId[] {
  const held = new Set(closure(directory, haves));
  const named = new Set(closureOfNames(directory, wants));
  return closure(directory, wants).filter((id) => {
    if (held.has(id)) return false;
    const { kind, sizeBytes } = objects.get(id) as KnownObject;
    return named.has(id) || passes(filter, kind, sizeBytes);
  });
}

function passes(filter: string | undefined, kind: string, sizeBytes: number): boolean {
  switch (filter) {
    case undefined:
      return true;
    case 'blob:none':
      return kind !== 'blob';
    case 'blob:limit=10':
      return kind !== 'blob' || sizeBytes < 10;
    case 'tree:0':
      return kind === 'commit';
    case 'object:type=tree':
      return kind === 'tree';
    case 'object:type=commit':
      return kind === 'commit';
    default:
      return kind === 'blob' && sizeBytes < 10;
  }
}

function closure(directory: string, tips: readonly ObjectId[]): ObjectId[] {
  if (tips.length === 0) return [];
  return git(directory, 'rev-list', '--objects', '--no-object-names', ...tips)
    .split('\n')
    .filter(Boolean)
    .sort();
}

/** The tips and what tags among them point at. */
function closureOfNames(directory: string, tips: readonly ObjectId[]): ObjectId[] {
  return tips.flatMap((tip) => {
    const chain = [tip];
    for (let id = tip; git(directory, 'cat-file', '-t', id).trim() === 'tag'; chain.push(id)) {
      id = git(directory, 'cat-file', '-p', id).slice('object '.length, 'object '.length + 40);
    }
    return chain;
  });
}

function objectsOf(directory: string): Map<ObjectId, KnownObject> {
  const lines = git(directory, 'cat-file', '--batch-all-objects', '--batch-check').trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const [id = '', kind = '', size = ''] = line.split(' ');
      return [id, { kind, sizeBytes: Number(size) }];
    }),
  );
}

async function select(
  reader: ObjectReader,
  request: Partial<SelectionRequest>,
  options: SelectionOptions,
): Promise<ObjectId[]> {
  return allIdsOf(
    reader,
    await selectObjects(reader, { wants: [], haves: [], thin: true, ...request }, options),
  );
}

const some = (ids: readonly ObjectId[], maxLength: number, minLength = 0) =>
  fc.uniqueArray(fc.constantFrom(...ids), { minLength, maxLength });

for (const [layout, lay] of Object.entries(LAYOUTS)) {
  test(`selectObjects() answers from ${layout} what the wants reach and the haves do not`, async (context) => {
    const directory = await scratchDirectory(context);
    const [plan] = fc.sample(anyHistory(COMMITS), 1);
    const history = buildHistory(directory, plan ?? []);
    const later = Array.from({ length: COMMITS }, (_, i) => `refs/heads/c${i}`).slice((2 * COMMITS) / 3);
    lay(directory, later);
    const objects = objectsOf(directory);
    const tips = [...history.commits, ...history.tags];
    await using repository = await openRepository(directory);
    const first = await repository.objects.openReader();
    assert.equal(first.bitmaps !== undefined, !layout.includes('without'));
    first.release();

    await fc.assert(
      fc.asyncProperty(
        some(tips, 4, 1),
        some(tips, 3),
        fc.constantFrom(...FILTERS),
        fc.boolean(),
        async (wants, haves, spec, includeTag) => {
          const reader = await repository.objects.openReader();
          const filter = spec === undefined ? undefined : parseObjectFilter(spec);
          const whole = expected(directory, objects, wants, haves, spec);
          const found = await select(reader, { wants, haves, filter }, ALWAYS);
          if (reader.bitmaps === undefined && haves.length > 0) {
            // Without a set of what is held, what is found again at another place is sent again, as by git.
            for (const id of whole) assert.ok(found.includes(id), id);
          } else {
            assert.deepEqual(found, whole);
          }

          if (!includeTag) return;
          const includeTags = history.tags.flatMap((tagId) => {
            const peeledId = git(directory, 'rev-parse', `${tagId}^{}`).trim();
            return [{ tagId, peeledId }];
          });
          const tagged = await select(reader, { wants, haves, filter, includeTags }, ALWAYS);
          for (const { tagId, peeledId } of includeTags) {
            if (found.includes(peeledId)) assert.ok(tagged.includes(tagId), tagId);
          }
          assert.equal(new Set(tagged).size, tagged.length, 'no object twice');
          reader.release();
        },
      ),
      { numRuns: QUERIES },
    );
  });

  test(`git takes in what is selected from ${layout}`, async (context) => {
    const directory = await scratchDirectory(context);
    const [plan] = fc.sample(anyHistory(COMMITS), 1);
    // The strict checks of git refuse a submodule at no commit.
    const history = buildHistory(
      directory,
      (plan ?? []).map((commit) => ({ ...commit, gitlink: false })),
    );
    lay(directory, [`refs/heads/c${COMMITS - 1}`, `refs/heads/c${COMMITS - 2}`]);
    await using repository = await openRepository(directory);
    const reader = await repository.objects.openReader();
    const last = history.commits.at(-1) as ObjectId;
    const middle = history.commits[COMMITS >> 1] as ObjectId;
    const receiver = join(await scratchDirectory(context), 'receiver.git');
    git('/', 'init', '-q', '--bare', receiver);

    for (const [wants, haves] of [
      [[middle], []],
      [[last], [middle]],
      [[...history.commits, ...history.tags], [last]],
    ]) {
      const selection = await selectObjects(reader, { wants, haves, thin: true }, ALWAYS);
      const options = { runtime: nodeRuntime, limits: DEFAULT_LIMITS, thin: true, ofsDelta: true };
      const input = await drain(writeSelection(reader, selection, options));
      git({ cwd: receiver, input }, 'index-pack', '--strict', '--fix-thin', '--stdin');
      for (const [n, id] of wants.entries())
        git(receiver, 'update-ref', `refs/heads/n${n}`, `${id}^{commit}`);
      git(receiver, 'fsck', '--connectivity-only');
    }
    reader.release();
  });
}
