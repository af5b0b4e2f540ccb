/**
 * Writing the objects that nothing stored can be sent for: as a new delta or whole, deflated anew.
 *
 * @module
 */
import { type ByteStream, streamOf } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';
import { bytesToHex } from '../../core/object-id.ts';
import { codeOfKind } from '../../core/object-kind.ts';
import type { Pace } from '../../core/pace.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ObjectReader, RawObject } from '../../odb/object-database.ts';
import { createDelta, indexDeltaBase } from '../../pack/delta-create.ts';
import { writeTypeAndSize } from '../../pack/entry-header.ts';
import { writeOfsDelta, writeRefDelta } from './delta-headers.ts';
import { objectMissing } from './pack-errors.ts';
import type { PackOutput } from './pack-output.ts';
import { ENCODE, NO_BASE } from './pack-plan.ts';
import { copyBaseId, type WritePlan } from './write-plan.ts';
import type { WrittenOffsets } from './written-offsets.ts';

/** Content up to here is deflated at once, in some 5 ms; what is larger, piece by piece beside other work. */
const DEFLATED_AT_ONCE_BYTES = 256 * 1024;

/** What writing an encoded object needs; one for the whole pack. */
export interface EncodeContext {
  readonly reader: ObjectReader;
  readonly plan: WritePlan;
  readonly runtime: Runtime;
  readonly ofsDelta: boolean;
  /** Larger objects are read and deflated as a stream. */
  readonly mostHeldBytes: number;
  /** Filled in here. */
  readonly written: WrittenOffsets;
  readonly output: PackOutput;
  readonly pace: Pace;
  /** How many objects have been encoded, and how many of these as deltas. Counted here. */
  readonly encoded: { objects: number; deltas: number };
}

/**
 * Write the object of `slot`, and before it the bases that are to be encoded as well, unless they are written.
 * Yields whenever the output is full.
 */
export async function* writeEncoded(
  context: EncodeContext,
  slot: number,
): AsyncGenerator<Uint8Array, undefined> {
  const { plan, written, output } = context;
  const chain: number[] = [];
  let next = slot;
  while (next !== NO_BASE && plan.actions[next] === ENCODE && written.get(next) === 0) {
    chain.push(next);
    next = plan.bases[next] as number;
  }
  for (let at = chain.pop(); at !== undefined; at = chain.pop()) {
    if (context.pace.isDue()) await context.pace.rest();
    if (output.isFull) yield output.take();
    written.set(at, output.position);
    context.encoded.objects++;
    if (plan.bases[at] !== NO_BASE) context.encoded.deltas++;
    const content = beginEntry(context, at, mustMake(plan, at) ? await makeDelta(context, at) : undefined);
    const deflated = content instanceof Uint8Array ? deflatedOf(context, at, content) : undefined;
    if (deflated !== undefined) {
      for (let start = 0; start < deflated.length; ) {
        start = output.append(deflated, start, deflated.length);
        if (output.isFull) yield output.take();
      }
    } else {
      const inflated = content instanceof Uint8Array ? streamOf(content) : content;
      for await (const piece of context.runtime.deflateStream(inflated)) {
        if (context.pace.isDue()) await context.pace.rest();
        for (let start = 0; start < piece.length; ) {
          start = output.append(piece, start, piece.length);
          if (output.isFull) yield output.take();
        }
      }
    }
  }
}

/**
 * @param content as {@link beginEntry} returned it
 * @returns `undefined` when that is too much to deflate at once
 */
function deflatedOf(
  { runtime, reader, plan }: EncodeContext,
  slot: number,
  content: Uint8Array,
): Uint8Array | undefined {
  const { madeDeltas, deltas, format } = plan;
  if (deltas.inflatedBytes(numberOf(plan.encodedSlots, slot)) > 0) return content;
  if (content.length > DEFLATED_AT_ONCE_BYTES) return undefined;
  const deflated = runtime.deflate(content);
  const base = plan.bases[slot] as number;
  if (madeDeltas !== undefined && base !== NO_BASE) {
    const targetId = new Uint8Array(format.idBytes);
    const baseId = new Uint8Array(format.idBytes);
    copyBaseId(reader.packs, plan, slot, targetId);
    copyBaseId(reader.packs, plan, base, baseId);
    madeDeltas.keepDeflated(targetId, baseId, deflated);
  }
  return deflated;
}

/** Whether the entry is a delta that the search found and did not keep. */
function mustMake({ bases, deltas, encodedSlots }: WritePlan, slot: number): boolean {
  return bases[slot] !== NO_BASE && deltas.get(numberOf(encodedSlots, slot)) === undefined;
}

/**
 * Write the header of the entry.
 *
 * @param made the delta that {@link mustMake} asked for
 * @returns what is to be deflated behind it, unless the plan has that already
 */
function beginEntry(
  context: EncodeContext,
  slot: number,
  made: Uint8Array | undefined,
): Uint8Array | ByteStream {
  const { reader, plan, written, output } = context;
  const { format } = plan;
  const number = numberOf(plan.encodedSlots, slot);
  const base = plan.bases[slot] as number;
  const id = new Uint8Array(format.idBytes);

  if (base !== NO_BASE) {
    const delta = made ?? (plan.deltas.get(number) as Uint8Array);
    const sizeBytes = plan.deltas.inflatedBytes(number) || delta.length;
    const baseWritten = written.get(base);
    if (context.ofsDelta && baseWritten > 0) {
      writeOfsDelta(output, sizeBytes, output.position - baseWritten);
    } else {
      copyBaseId(reader.packs, plan, base, id);
      writeRefDelta(output, sizeBytes, id, 0, format.idBytes);
    }
    return delta;
  }

  const sizeBytes = plan.encodedSizes[number] as number;
  if (sizeBytes > context.mostHeldBytes) {
    copyBaseId(reader.packs, plan, slot, id);
    const object = reader.stream(bytesToHex(id));
    if (object === undefined) throw objectMissing(format, id, 0);
    const { kind } = object.header;
    output.claim(writeTypeAndSize(output.chunk, output.length, codeOfKind(kind), object.header.sizeBytes));
    return exactly(object.header.sizeBytes, object.content);
  }
  const object = readObject(context, slot);
  const type = codeOfKind(object.kind);
  output.claim(writeTypeAndSize(output.chunk, output.length, type, object.data.length));
  return object.data;
}

/** Large ones take some 50 ms: others may go on between the steps. */
async function makeDelta(context: EncodeContext, slot: number): Promise<Uint8Array> {
  const { pace, plan } = context;
  const target = readObject(context, slot).data;
  if (pace.isDue()) await pace.rest();
  const base = readObject(context, plan.bases[slot] as number).data;
  if (pace.isDue()) await pace.rest();
  const index = indexDeltaBase(base);
  if (pace.isDue()) await pace.rest();
  const room = new Uint8Array(target.length);
  const length = createDelta(index, target, room);
  if (length <= 0) {
    const id = new Uint8Array(context.plan.format.idBytes);
    copyBaseId(context.reader.packs, context.plan, slot, id);
    throw new GitError('OBJECT_CORRUPT', 'Cannot write pack: an object changed while it was read', {
      id: bytesToHex(id),
    });
  }
  return room.subarray(0, length);
}

/** @param base a slot or an outside base */
function readObject({ reader, plan }: EncodeContext, base: number): RawObject {
  const id = new Uint8Array(plan.format.idBytes);
  copyBaseId(reader.packs, plan, base, id);
  const object = reader.readRaw(id, 0);
  if (object === undefined) throw objectMissing(plan.format, id, 0);
  return object;
}

/** The same bytes, if they are as many as the entry's header says. */
async function* exactly(sizeBytes: number, content: ByteStream): ByteStream {
  let seenBytes = 0;
  for await (const chunk of content) {
    seenBytes += chunk.length;
    if (seenBytes > sizeBytes) break;
    yield chunk;
  }
  if (seenBytes !== sizeBytes) {
    throw new GitError('OBJECT_CORRUPT', `Cannot write pack: expected an object of ${sizeBytes} bytes`, {
      sizeBytes,
      seenBytes,
    });
  }
}

/** The number of `slot` among the encoded. */
function numberOf(encodedSlots: Uint32Array, slot: number): number {
  let low = 0;
  let high = encodedSlots.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((encodedSlots[middle] as number) < slot) low = middle + 1;
    else high = middle;
  }
  return low;
}
