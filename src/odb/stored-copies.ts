/**
 * Objects that a pack brings although they are stored already: they have to be the same, byte for byte, or someone has
 * made a collision that the hash did not give away. What `git index-pack` checks too.
 *
 * @module
 */
import type { ByteStream, Cancellable } from '../core/byte-stream.ts';
import { concatBytes } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import { bytesToHex } from '../core/object-id.ts';
import { kindOfCode } from '../core/object-kind.ts';
import { Pace } from '../core/pace.ts';
import type { Runtime } from '../core/runtime.ts';
import { parsePackIndex } from '../pack/idx-reader.ts';
import type { IndexedPack } from '../pack/index-pack.ts';
import { type ObjectView, PackReader } from '../pack/pack-reader.ts';
import type { RandomAccessFile } from '../pack/stored-pack.ts';
import type { ObjectReader } from './object-database.ts';

/** Larger objects are compared as they are read, not held. */
const HELD_BYTES = 1024 * 1024;
/** Ids looked up between two looks at the clock. */
const LOOK_EVERY = 256;
/** Most packs bring few objects that are stored. */
const FIRST_FOUND = 64;

export interface ComparisonContext extends Cancellable {
  readonly runtime: Runtime;
  /** What is stored already. */
  readonly stored: ObjectReader;
}

/**
 * Compare the objects of `pack`, whose bytes are in `file`, with those of the same ids that are stored.
 *
 * Takes next to no time for objects that are not: they are looked up and not read.
 *
 * @throws {GitError} SHA1_COLLISION with `detail.id` when one differs; as reading, when a stored one is broken; ABORTED
 */
export async function compareWithStored(
  pack: IndexedPack,
  file: RandomAccessFile,
  { runtime, stored, signal }: ComparisonContext,
): Promise<void> {
  const entries = await entriesStored(pack, stored, signal);
  if (entries.length === 0) return;

  const { format, columns } = pack.table;
  const index = parsePackIndex(concatBytes(...pack.encodeIndex()), { format, packBytes: pack.sizeBytes });
  const sent = new PackReader({ name: 'incoming', file, index }, { runtime });
  const held = new Uint8Array(HELD_BYTES);
  const heldWords = new Int32Array(held.buffer);
  const other = new Uint8Array(HELD_BYTES);
  const otherWords = new Int32Array(other.buffer);
  const view: ObjectView = { bytes: held, start: 0, end: 0, kind: 0 };
  const pace = new Pace(signal);
  try {
    for (const entry of entries) {
      const offset = columns.offsets[entry] as number;
      const at = entry * format.idBytes;
      const { kind, sizeBytes } = sent.headerAt(offset);
      let same: boolean;
      if (sizeBytes <= HELD_BYTES) {
        sent.viewAt(offset, view);
        held.set(view.bytes.subarray(view.start, view.end));
        same =
          stored.viewRaw(columns.ids, at, view) &&
          kindOfCode(view.kind) === kind &&
          view.end - view.start === sizeBytes;
        if (same) {
          other.set(view.bytes.subarray(view.start, view.end));
          const words = sizeBytes >>> 2; // compared at once: four times as fast as bytes, the copy included
          same =
            areSame(heldWords, otherWords, 0, words) &&
            areSame(held.subarray(4 * words), other, 4 * words, sizeBytes - 4 * words);
        }
      } else {
        const found = stored.stream(bytesToHex(columns.ids, at, format.idBytes));
        same =
          found?.header.kind === kind &&
          found.header.sizeBytes === sizeBytes &&
          (await streamsAreSame(sent.streamAt(offset).content, found.content));
      }
      if (!same) throw differs(bytesToHex(columns.ids, at, format.idBytes));
      if (pace.isDue()) await pace.rest();
    }
  } finally {
    sent.release();
  }
}

/** The entries whose ids are stored, in pack order. The bases that completed a thin pack are not asked for. */
async function entriesStored(
  { table, order, objectCount, completedCount }: IndexedPack,
  stored: ObjectReader,
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const { ids, idBytes } = table.columns;
  const sentCount = objectCount - completedCount;
  const isStored = stored.storedInOrder?.() ?? ((raw, at) => stored.hasRaw(raw, at));
  let found = new Int32Array(FIRST_FOUND);
  let count = 0;
  const pace = new Pace(signal);
  for (let rank = 0; rank < order.length; rank++) {
    const entry = order[rank] as number;
    if (entry < sentCount && isStored(ids, entry * idBytes)) found = withEntry(found, count++, entry);
    if (rank % LOOK_EVERY === LOOK_EVERY - 1 && pace.isDue()) await pace.rest();
  }
  return found.subarray(0, count).sort();
}

function withEntry(entries: Int32Array<ArrayBuffer>, count: number, entry: number): Int32Array<ArrayBuffer> {
  let room = entries;
  if (count === room.length) {
    room = new Int32Array(2 * count);
    room.set(entries);
  }
  room[count] = entry;
  return room;
}

function areSame<Numbers extends Uint8Array | Int32Array>(
  one: Numbers,
  other: Numbers,
  otherStart: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) if (one[i] !== other[otherStart + i]) return false;
  return true;
}

async function streamsAreSame(one: ByteStream, other: ByteStream): Promise<boolean> {
  const others = other[Symbol.asyncIterator]();
  try {
    let rest: Uint8Array = new Uint8Array(0);
    for await (const chunk of one) {
      for (let at = 0; at < chunk.length; ) {
        while (rest.length === 0) {
          const next = await others.next();
          if (next.done) return false;
          rest = next.value;
        }
        const length = Math.min(rest.length, chunk.length - at);
        if (!areSame(chunk.subarray(at), rest, 0, length)) return false;
        at += length;
        rest = rest.subarray(length);
      }
    }
    return rest.length === 0 && (await others.next()).done === true;
  } finally {
    await others.return?.();
  }
}

function differs(id: string): GitError {
  return new GitError(
    'SHA1_COLLISION',
    `Cannot accept object ${id}: another object of the same id is stored here`,
    { id },
  );
}
