import assert from 'node:assert/strict';
import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { encodeText } from '../../src/core/bytes.ts';
import { isGitError } from '../../src/core/errors.ts';
import { TREE } from '../../src/core/object-kind.ts';
import { createFilePackSink } from '../../src/pack/node/file-pack-sink.ts';
import { createThreadTaskPool } from '../../src/pack/node/thread-task-pool.ts';
import { scratchDirectory } from '../support/git.ts';
import { type IngestOptions, ingest } from '../support/ingest.ts';
import { appendingDelta, ofsDeltaEntry, packOf, wholeEntry } from '../support/pack-builder.ts';
import { chunked } from '../support/streams.ts';

/** Every write to it fails as on a full disk. */
const FULL = '/dev/full';
const isElsewhere = !existsSync(FULL) && 'there is no /dev/full';

/** More edges than a thread holds in memory. */
const EDGES = 12_000;
const ENTRIES_OF_A_DELTA = 4;

const tasks = createThreadTaskPool({ threads: 2 });
after(() => tasks.close());

function entriesOf(from: number, count: number): string {
  return Array.from({ length: count }, (_, i) => `40000 d\0${`${from + i}`.padStart(20, 'x')}`).join('');
}

function packOfOneTree(): Uint8Array {
  return packOf([wholeEntry(TREE, encodeText(entriesOf(0, EDGES)))]);
}

/** So many deltas that threads resolve them, all of one tree: one of the threads sees them all. */
function packOfDeltas(): Uint8Array {
  const base = encodeText(entriesOf(0, 1));
  const entries = [wholeEntry(TREE, base)];
  let distance = entries[0]?.length ?? 0;
  for (let edge = 1; edge < EDGES; edge += ENTRIES_OF_A_DELTA) {
    const delta = ofsDeltaEntry(distance, appendingDelta(base.length, entriesOf(edge, ENTRIES_OF_A_DELTA)));
    entries.push(delta);
    distance += delta.length;
  }
  // Enough for threads also when they are not to be filled.
  for (let edge = 0; entries.length <= 3100; edge++) {
    const delta = ofsDeltaEntry(distance, appendingDelta(base.length, entriesOf(EDGES + edge, 1)));
    entries.push(delta);
    distance += delta.length;
  }
  return packOf(entries);
}

for (const [who, pack, options] of [
  ['this thread', packOfOneTree, {}],
  ['this thread, making objects from deltas', packOfDeltas, {}],
  ['a worker thread', packOfDeltas, { tasks }],
] as readonly (readonly [string, () => Uint8Array, IngestOptions])[]) {
  test(`a disk that is full when edges of ${who} are put aside fails the pack, and nothing is left beside it`, {
    skip: isElsewhere,
  }, async (context) => {
    const directory = await scratchDirectory(context);
    const path = join(directory, 'incoming.pack');
    for (const number of [0, 1, 2]) symlinkSync(FULL, `${path}.edges-${number}`);
    const sink = await createFilePackSink(path);
    try {
      await assert.rejects(
        ingest(chunked(pack(), [60_000]), { ...options, sink, findSelfContained: true }),
        (error) => {
          assert.ok(isGitError(error));
          assert.equal(error.code, 'STORAGE_FAILED');
          assert.match(error.message, /^Cannot store pack: no space left on the disk/);
          assert.match(String(error.detail['path']), /incoming\.pack\.edges-\d$/);
          return true;
        },
      );
    } finally {
      await sink.close();
    }
    assert.deepEqual(
      readdirSync(directory).filter((name) => name !== 'incoming.pack'),
      options.tasks === undefined ? ['incoming.pack.edges-1', 'incoming.pack.edges-2'] : [],
    );
  });
}
