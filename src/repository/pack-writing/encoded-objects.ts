/**
 * Writing the objects that nothing stored can be sent for: as a new delta or whole, deflated anew.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';
import { bytesToHex } from '../../core/object-id.ts';
import { codeOfKind } from '../../core/object-kind.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { createDelta, indexDeltaBase } from '../../pack/delta-create.ts';
import { writeTypeAndSize } from '../../pack/entry-header.ts';
import type { ObjectSelection } from '../object-selection.ts';
import type { Pace } from '../pace.ts';
import type { SearchedObjects } from './delta-candidates.ts';
import { type FoundDeltas, readSource } from './delta-search.ts';
import { objectMissing } from './pack-errors.ts';
import type { PackOutput } from './pack-output.ts';
import { ENCODE, FIRST_PREFERRED, NO_BASE, type PackPlan } from './pack-plan.ts';
import { writeOfsDelta, writeRefDelta } from './stored-entries.ts';

/** What writing an encoded object needs; one for the whole pack. */
export interface EncodeContext {
  readonly reader: ObjectReader;
  readonly selection: ObjectSelection;
  readonly plan: PackPlan;
  readonly found: FoundDeltas;
  readonly runtime: Runtime;
  readonly ofsDelta: boolean;
  /** Larger objects are read and deflated as a stream. */
  readonly mostHeldBytes: number;
  /** Where each position lies in the output; 0 for what is not written yet. Filled in here. */
  readonly written: Float64Array;
  readonly output: PackOutput;
  readonly pace: Pace;
  /** How many objects have been encoded, and how many of these as deltas. Counted here. */
  readonly encoded: { objects: number; deltas: number };
}

/**
 * Write the object at `position`, and before it the bases that are to be encoded as well, unless they are written.
 * Yields whenever the output is full.
 */
export async function* writeEncoded(
  context: EncodeContext,
  position: number,
): AsyncGenerator<Uint8Array, undefined> {
  const { plan, written, output } = context;
  const chain: number[] = [];
  let next = position;
  while (next >= 0 && plan.actions[next] === ENCODE && written[next] === 0) {
    chain.push(next);
    next = plan.bases[next] as number;
  }
  for (let at = chain.pop(); at !== undefined; at = chain.pop()) {
    if (context.pace.isDue()) await context.pace.rest();
    if (output.isFull) yield output.take();
    written[at] = output.position;
    context.encoded.objects++;
    if (plan.bases[at] !== NO_BASE) context.encoded.deltas++;
    const content = beginEntry(context, at);
    if (content instanceof Uint8Array) {
      const deflated = context.runtime.deflate(content);
      for (let start = 0; start < deflated.length; ) {
        start = output.append(deflated, start, deflated.length);
        if (output.isFull) yield output.take();
      }
    } else {
      for await (const deflated of context.runtime.deflateStream(content)) {
        if (context.pace.isDue()) await context.pace.rest();
        for (let start = 0; start < deflated.length; ) {
          start = output.append(deflated, start, deflated.length);
          if (output.isFull) yield output.take();
        }
      }
    }
  }
}

/** Write the header of the entry. @returns what is to be deflated behind it */
function beginEntry(context: EncodeContext, position: number): Uint8Array | ByteStream {
  const { reader, selection, plan, found, output } = context;
  const { idBytes } = selection.format;
  const number = numberOf(found.searched, position);
  const base = plan.bases[position] as number;
  const idAt = (plan.order[position] as number) * idBytes;

  if (base !== NO_BASE) {
    const delta = found.cache.get(number) ?? makeDelta(context, position, base);
    const baseWritten = base < 0 ? 0 : (context.written[base] as number);
    if (base <= FIRST_PREFERRED) {
      const at = (FIRST_PREFERRED - base) * idBytes;
      writeRefDelta(output, delta.length, selection.preferredBases, at, idBytes);
    } else if (context.ofsDelta && baseWritten > 0) {
      writeOfsDelta(output, delta.length, output.position - baseWritten);
    } else {
      writeRefDelta(output, delta.length, selection.ids, (plan.order[base] as number) * idBytes, idBytes);
    }
    return delta;
  }

  const sizeBytes = found.searched.sizes[number] as number;
  if (sizeBytes > context.mostHeldBytes) {
    const object = reader.stream(bytesToHex(selection.ids, idAt, idBytes));
    if (object === undefined) throw objectMissing(selection.format, selection.ids, idAt);
    const { kind } = object.header;
    output.claim(writeTypeAndSize(output.chunk, output.length, codeOfKind(kind), object.header.sizeBytes));
    return exactly(object.header.sizeBytes, object.content);
  }
  const object = reader.readRaw(selection.ids, idAt);
  if (object === undefined) throw objectMissing(selection.format, selection.ids, idAt);
  const type = codeOfKind(object.kind);
  output.claim(writeTypeAndSize(output.chunk, output.length, type, object.data.length));
  return object.data;
}

/** The delta that the search found and did not keep. */
function makeDelta(context: EncodeContext, position: number, base: number): Uint8Array {
  const { reader, selection, plan } = context;
  const target = readSource(reader, selection, plan, position);
  const index = indexDeltaBase(readSource(reader, selection, plan, base));
  const room = new Uint8Array(target.length);
  const length = createDelta(index, target, room);
  if (length <= 0) {
    throw new GitError('OBJECT_CORRUPT', 'Cannot write pack: an object changed while it was read', {
      id: bytesToHex(selection.ids, (plan.order[position] as number) * selection.format.idBytes, 20),
    });
  }
  return room.subarray(0, length);
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

/** The number of the object at `position` among those searched. */
function numberOf({ positions, count }: SearchedObjects, position: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((positions[middle] as number) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
