/** Selections without the objects a client gets elsewhere. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { hexToBytes, type ObjectId } from '../../src/core/object-id.ts';
import type { ObjectReader } from '../../src/odb/object-database.ts';
import { leaveOut } from '../../src/repository/leave-out.ts';
import type { ObjectSelection } from '../../src/repository/object-selection.ts';
import { plainRepository } from '../support/bitmapped-repository.ts';
import { gitBytes } from '../support/git.ts';
import { allIdsOf, selectByGit, withStoredParts } from '../support/object-selections.ts';
import { openStoredRepository } from '../support/stored-repository.ts';
import { drain } from '../support/streams.ts';
import { writeSelection } from '../support/written-pack.ts';

const MISSING: ObjectId = 'd'.repeat(40);

let path = '';
let reader: ObjectReader;
let everything: ObjectSelection;
let ids: readonly ObjectId[];
const cleanUps: (() => unknown)[] = [];
before(async () => {
  const repository = await plainRepository({ after: (task) => void cleanUps.push(task as () => unknown) });
  repository.git('repack', '-adq', '--depth=20');
  path = repository.path;
  reader = openStoredRepository(path);
  everything = selectByGit(path, { wants: ['--all'] });
  ids = allIdsOf(reader, everything);
});
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

test('what is left out is neither listed nor found, and all else is', () => {
  const gone = ids[3] as string;
  const { selection, leftOut } = leaveOut(reader, everything, [MISSING, gone]);
  assert.deepEqual(leftOut, [gone]);
  assert.equal(selection.indexOf(hexToBytes(gone), 0), -1);
  assert.deepEqual(
    allIdsOf(reader, selection),
    ids.filter((id) => id !== gone),
  );
  assert.deepEqual(allIdsOf(reader, everything), ids, 'the selection it came from is as it was');
});

test('what was not selected is not left out', () => {
  const few = selectByGit(path, { wants: ['--all'], keep: (_, number) => number < 5 });
  assert.deepEqual(leaveOut(reader, few, [MISSING]), { selection: few, leftOut: [] });
});

test('any objects are left out, listed or not, and git reads the pack of the rest', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.func(fc.boolean()),
      fc.func(fc.integer({ min: 0, max: 9 }).map((n) => n === 0)),
      async (isStored, isGone) => {
        const mixed = withStoredParts(reader, everything, (packs, number) =>
          isStored(number) ? packs[0] : undefined,
        );
        const gone = ids.filter((id) => isGone(id));

        const { selection, leftOut } = leaveOut(reader, mixed, gone);

        assert.deepEqual(leftOut, gone);
        const kept = ids.filter((id) => !isGone(id));
        assert.deepEqual(allIdsOf(reader, selection), kept);
        for (let number = 0; number < selection.count; number++) {
          assert.equal(selection.indexOf(selection.ids, number * selection.format.idBytes), number);
        }
        const options = { limits: DEFAULT_LIMITS, runtime: nodeRuntime, thin: false, ofsDelta: true };
        const pack = await drain(writeSelection(reader, selection, { ...options, signal: undefined }));
        const input = { cwd: path, input: pack };
        assert.match(gitBytes(input, 'index-pack', '--stdin').toString(), /^pack/);
      },
    ),
    { numRuns: 10 },
  );
});
