/**
 * Packs that are small on the wire and large once they are opened.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import zlib from 'node:zlib';
import { concatBytes, encodeText } from '../../../src/core/bytes.ts';
import { BLOB, COMMIT, TREE } from '../../../src/core/object-kind.ts';
import { writeTypeAndSize } from '../../../src/pack/entry-header.ts';
import { formatPackHeader } from '../../../src/pack/pack-header.ts';
import { appendingDelta, blobEntry, ofsDeltaEntry, packOf, wholeEntry } from '../../support/pack-builder.ts';
import { hex, idOf } from '../support/small-pushes.ts';

const MIB = 1024 * 1024;
const ADLER_MODULUS = 65_521;
/** A megabyte of zeros as blocks that may be repeated: they end at a byte and refer to nothing before them. */
const MEGABYTE = zlib.deflateRawSync(Buffer.alloc(MIB), { finishFlush: zlib.constants.Z_FULL_FLUSH });
const LAST_BLOCK = Uint8Array.of(3, 0);

/** A zlib stream of so many megabytes of zeros, a thousandth of that long. */
export function* zeros(megabytes: number): Generator<Uint8Array> {
  yield Uint8Array.of(0x78, 0x9c);
  for (let i = 0; i < megabytes; i++) yield MEGABYTE;
  yield LAST_BLOCK;
  const high = (megabytes * MIB) % ADLER_MODULUS;
  yield Uint8Array.of(high >> 8, high & 255, 0, 1);
}

/** The same as gzip; its checksum is wrong, which nobody should come to see. */
export function* gzippedZeros(megabytes: number): Generator<Uint8Array> {
  yield Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
  for (let i = 0; i < megabytes; i++) yield MEGABYTE;
  yield LAST_BLOCK;
  yield new Uint8Array(8);
}

/** A pack of blobs of zeros. @param declaredBytes what the entries say they hold; the truth when absent */
export function* packOfZeros(
  blobs: number,
  megabytesEach: number,
  declaredBytes = megabytesEach * MIB,
): Generator<Uint8Array> {
  const hash = createHash('sha1');
  const hashed = (bytes: Uint8Array): Uint8Array => {
    hash.update(bytes);
    return bytes;
  };
  const header = new Uint8Array(10);
  yield hashed(formatPackHeader(blobs));
  for (let i = 0; i < blobs; i++) {
    yield hashed(header.slice(0, writeTypeAndSize(header, 0, BLOB, declaredBytes)));
    for (const bytes of zeros(megabytesEach)) yield hashed(bytes);
  }
  yield hash.digest();
}

/** A blob of a megabyte, and deltas that each make one of twice their base's size. */
export function packOfDoublings(times: number): Uint8Array {
  const entries = [wholeEntry(BLOB, new Uint8Array(MIB))];
  for (let i = 0, baseBytes = MIB; i < times; i++, baseBytes *= 2) {
    const last = entries.at(-1) as Uint8Array;
    entries.push(ofsDeltaEntry(last.length, doublingDelta(baseBytes)));
  }
  return packOf(entries);
}

/** A blob of so many megabytes, and deltas that copy all of it and add a few bytes each. */
export function packOfCopies(megabytes: number, copies: number): Uint8Array {
  const base = wholeEntry(BLOB, new Uint8Array(megabytes * MIB));
  const entries = [base];
  let distance = base.length;
  for (let i = 0; i < copies; i++) {
    const entry = ofsDeltaEntry(distance, appendingDelta(megabytes * MIB, `${i}`));
    entries.push(entry);
    distance += entry.length;
  }
  return packOf(entries);
}

/** Deltas each on top of the one before. */
export function packOfChain(depth: number): Uint8Array {
  const entries = [blobEntry('a')];
  for (let i = 1; i <= depth; i++) {
    entries.push(ofsDeltaEntry((entries.at(-1) as Uint8Array).length, appendingDelta(i, 'a')));
  }
  return packOf(entries);
}

/** A delta whose header says that it makes much more than it does. */
export function packOfLyingDelta(): Uint8Array {
  const base = blobEntry('a');
  return packOf([base, ofsDeltaEntry(base.length, appendingDelta(1, 'b', 2 ** 40))]);
}

/** A commit whose tree is so many directories deep. @returns the commit's id too */
export function packOfDeepTree(depth: number): { id: string; pack: Uint8Array } {
  const file = encodeText('deep');
  const entries = [wholeEntry(BLOB, file)];
  let id = idOf('blob', file);
  let mode = '100644';
  for (let i = 0; i < depth; i++) {
    const tree = concatBytes(encodeText(`${mode} d\0`), id);
    entries.push(wholeEntry(TREE, tree));
    id = idOf('tree', tree);
    mode = '40000';
  }
  const who = 'A U Thor <author@example.com> 1112911993 +0000';
  const commit = encodeText(`tree ${hex(id)}\nauthor ${who}\ncommitter ${who}\n\ndeep\n`);
  entries.push(wholeEntry(COMMIT, commit));
  return { id: hex(idOf('commit', commit)), pack: packOf(entries) };
}

function doublingDelta(baseBytes: number): Uint8Array {
  const copies = appendingDelta(baseBytes, '', 2 * baseBytes);
  // All copies once more: what follows the two sizes at the front.
  const sizes = varintLength(baseBytes) + varintLength(2 * baseBytes);
  return concatBytes(copies, copies.subarray(sizes));
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}
