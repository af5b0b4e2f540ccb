/**
 * How much of a pack has to be put aside to be shared.
 *
 * @module
 */
import type { PlannedPack } from './planned-pack.ts';

/**
 * Bytes that several readers cannot take from stored packs. An estimate: entries of a pack are taken to be of one size,
 * and what is encoded anew not to shrink.
 */
export function bytesToPutAside({ reader, plan }: PlannedPack): number {
  const { slotStarts, encodedSizes } = plan;
  let bytes = 0;
  for (const [number, { file, index }] of reader.packs.entries()) {
    // The reader may have taken in another pack since the plan was made.
    if (number + 1 >= slotStarts.length) break;
    const slots = (slotStarts[number + 1] as number) - (slotStarts[number] as number);
    if (slots > 0) bytes += (slots / index.objectCount) * file.sizeBytes;
  }
  for (const sizeBytes of encodedSizes) bytes += sizeBytes;
  return bytes;
}
