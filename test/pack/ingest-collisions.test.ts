import assert from 'node:assert/strict';
import { test } from 'node:test';
import { streamOf } from '../../src/core/byte-stream.ts';
import { encodeText } from '../../src/core/bytes.ts';
import { bytesToHex } from '../../src/core/object-id.ts';
import { BLOB } from '../../src/core/object-kind.ts';
import { ingest } from '../support/ingest.ts';
import {
  appendingDelta,
  blobEntry,
  blobId,
  ofsDeltaEntry,
  packOf,
  refDeltaEntry,
  wholeEntry,
} from '../support/pack-builder.ts';
import { ATTACK, suspiciousRuntime } from '../support/suspicious-sha1.ts';

const FEW = 10;
/** So many are hashed in batches. */
const MANY = 3000;
/** Larger than what an object is hashed from in one piece. */
const LARGE = `${'large '.repeat(50_000)}${ATTACK}`;

interface Attack {
  readonly entries: Uint8Array[];
  readonly attacked: string;
  readonly how: 'whole' | 'pieces' | 'batch';
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  'a whole object': { entries: blobs(FEW), attacked: ATTACK, how: 'whole' },
  'a whole object among many': { entries: blobs(MANY), attacked: ATTACK, how: 'batch' },
  'a large object': {
    entries: [wholeEntry(BLOB, encodeText(LARGE))],
    attacked: LARGE,
    how: 'pieces',
  },
  'an object made by a delta': { entries: deltas(FEW), attacked: `base${ATTACK}`, how: 'whole' },
  'an object made by one of many deltas': { entries: deltas(MANY), attacked: `base${ATTACK}`, how: 'batch' },
  'an object made by a delta whose base goes by its id': {
    entries: [blobEntry('base'), refDeltaEntry(blobId('base'), appendingDelta(4, ATTACK))],
    attacked: `base${ATTACK}`,
    how: 'whole',
  },
};

for (const [name, { entries, attacked, how }] of Object.entries(ATTACKS)) {
  test(`indexPack() refuses ${name} that carries an attack, by its id`, async () => {
    const seen = new Set<string>();
    const runtime = suspiciousRuntime((way) => seen.add(way));
    const id = bytesToHex(blobId(attacked));
    await assert.rejects(ingest(streamOf(packOf(entries)), { runtime }), {
      code: 'SHA1_COLLISION',
      detail: { id },
      message: new RegExp(`^Cannot accept object ${id}: `),
    });
    assert.ok(seen.has(how), `hashed in ${[...seen].join()}`);
  });

  test(`indexPack() takes ${name} when it is not to look`, async () => {
    const runtime = suspiciousRuntime(() => assert.fail('it looked'));
    const pack = await ingest(streamOf(packOf(entries)), { runtime, collisionDetection: false });
    assert.equal(pack.objectCount, entries.length);
  });
}

test('indexPack() looks for no attacks on SHA-256', async () => {
  const runtime = suspiciousRuntime(() => assert.fail('it looked'));
  const pack = packOf(blobs(FEW), { format: 'sha256' });
  assert.equal((await ingest(streamOf(pack), { runtime, format: 'sha256' })).objectCount, FEW);
});

test('ids are the same with and without detection', async () => {
  const pack = packOf([...deltas(MANY), ...blobs(MANY)]);
  const [one, other] = await Promise.all([
    ingest(streamOf(pack)),
    ingest(streamOf(pack), { collisionDetection: false }),
  ]);
  assert.deepEqual([...other.encodeIndex()], [...one.encodeIndex()]);
});

/** So many small blobs; one in the middle is an attack. */
function blobs(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => blobEntry(i === count / 2 ? ATTACK : `blob ${i}`));
}

/** A blob and deltas against it, all but one harmless. */
function deltas(count: number): Uint8Array[] {
  const entries = [blobEntry('base')];
  let distance = entries[0]?.length as number;
  for (let i = 1; i < count; i++) {
    const entry = ofsDeltaEntry(distance, appendingDelta(4, i === count / 2 ? ATTACK : `delta ${i}`));
    entries.push(entry);
    distance += entry.length;
  }
  return entries;
}
