import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '../../../src/core/bytes.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import { BLOB, OFS_DELTA } from '../../../src/core/object-kind.ts';
import type { Runtime } from '../../../src/core/runtime.ts';
import {
  createEntryHeader,
  parseEntryHeader,
  writeBaseDistance,
  writeTypeAndSize,
} from '../../../src/pack/entry-header.ts';
import type { PackIndex } from '../../../src/pack/pack-index.ts';
import type { RandomAccessFile } from '../../../src/pack/stored-pack.ts';
import type { ObjectSelection } from '../../../src/repository/object-selection.ts';
import { storedReader } from '../../support/stored-repository.ts';
import { writeSelection } from '../../support/written-pack.ts';

const GIB = 2 ** 30;
/** Four entries: small, base, one of 4.5 GiB, and a delta of the base. Deflated data is all zeros: nobody inflates it. */
const STARTS = [12, 1000, 2000, 2000 + 4.5 * GIB];
const TRAILER = 3000 + 4.5 * GIB;

/** Hashing 4.5 GiB twice would take longer than the rest of the tests together. */
const hashless: Runtime = {
  ...nodeRuntime,
  createHash: () => ({ update: () => {}, digest: () => new Uint8Array(20) }),
};

for (const [what, selected] of [
  ['all of it', [0, 1, 2, 3]],
  ['all but the first entry, which moves the others', [1, 2, 3]],
  ['all but the large entry, which brings the delta near its base', [0, 1, 3]],
] as const) {
  test(`writePack() copies a pack of 4.5 GiB: ${what}`, async () => {
    const numbers: readonly number[] = selected;
    const reader = storedReader(
      SHA1,
      [{ name: 'pack-large', file: largeFile(), index: largeIndex() }],
      new Map(),
    );
    let bytes = 0;
    let last: Uint8Array[] = [];
    const options = { runtime: hashless, limits: DEFAULT_LIMITS, thin: false, ofsDelta: true };
    for await (const chunk of writeSelection(reader, selectionOf(numbers), options)) {
      bytes += chunk.length;
      last = [...last.slice(-2), chunk];
    }
    const end = concatBytes(...last);

    const sizeOf = (entry: number) => ((STARTS[entry + 1] ?? TRAILER) as number) - (STARTS[entry] as number);
    const between = numbers.filter((entry) => entry === 1 || entry === 2);
    const distance = between.reduce((sum, entry) => sum + sizeOf(entry), 0);
    const header = createEntryHeader();
    // The delta is the last entry: 1000 bytes as stored, a little less with a shorter distance.
    const dataBytes = 1000 - deltaHeader().length;
    const headerBytes = deltaHeader(distance).length;
    const at = end.length - 20 - dataBytes - headerBytes;
    assert.ok(parseEntryHeader(end, at, end.length, 20, header));
    assert.deepEqual(
      { type: header.type, baseDistance: header.baseDistance },
      { type: OFS_DELTA, baseDistance: distance },
    );
    const others = numbers.filter((entry) => entry !== 3).reduce((sum, entry) => sum + sizeOf(entry), 0);
    assert.equal(bytes, 12 + others + headerBytes + dataBytes + 20);
  });
}

function deltaHeader(distance = (STARTS[3] as number) - (STARTS[1] as number)): Uint8Array {
  const bytes = new Uint8Array(42);
  return bytes.slice(0, writeBaseDistance(bytes, writeTypeAndSize(bytes, 0, OFS_DELTA, 30), distance));
}

function largeFile(): RandomAccessFile {
  const head = new Uint8Array(2100);
  head.set([0x50, 0x41, 0x43, 0x4b, 0, 0, 0, 2, 0, 0, 0, 4]);
  writeTypeAndSize(head, 12, BLOB, 900);
  writeTypeAndSize(head, 1000, BLOB, 900);
  writeTypeAndSize(head, 2000, BLOB, 4.6 * GIB);
  const delta = deltaHeader();
  const parts = [
    { start: 0, bytes: head },
    { start: STARTS[3] as number, bytes: delta },
  ];
  return {
    sizeBytes: TRAILER + 20,
    readInto(position, target, targetOffset, length) {
      const stop = Math.min(position + length, TRAILER + 20);
      target.fill(0, targetOffset, targetOffset + Math.min(64, stop - position)); // where headers are looked for
      for (const { start, bytes } of parts) {
        const from = Math.max(start, position);
        const to = Math.min(start + bytes.length, stop);
        if (from < to) target.set(bytes.subarray(from - start, to - start), targetOffset + from - position);
      }
      return stop - position;
    },
  };
}

/** The id of entry n is n + 1 twenty times. */
function largeIndex(): PackIndex {
  return {
    format: SHA1,
    objectCount: STARTS.length,
    packChecksum: new Uint8Array(20),
    rankOf: (ids, at) => (ids[at] as number) - 1,
    copyId: (rank, target, targetOffset) => target.fill(rank + 1, targetOffset, targetOffset + 20),
    lowerBound: () => 0,
    offsetOf: (rank) => STARTS[rank] as number,
    crcOf: () => undefined,
    rankAtOffset: (offset) => STARTS.indexOf(offset),
    entryEnd: (offset) => STARTS[STARTS.indexOf(offset) + 1] ?? TRAILER,
    entryAt: (offset) => STARTS.indexOf(offset),
    entryStart: (entry) => STARTS[entry] ?? TRAILER,
  };
}

function selectionOf(numbers: readonly number[]): ObjectSelection {
  return {
    format: SHA1,
    count: numbers.length,
    ids: Uint8Array.from(numbers.flatMap((number) => new Array<number>(20).fill(number + 1))),
    kinds: new Uint8Array(numbers.length).fill(BLOB),
    nameHashes: new Uint32Array(numbers.length),
    indexOf: (ids, at) => numbers.indexOf((ids[at] as number) - 1),
    receiverHas: () => false,
    preferredBases: new Uint8Array(0),
    preferredBaseKinds: new Uint8Array(0),
    preferredBaseNameHashes: new Uint32Array(0),
  };
}
