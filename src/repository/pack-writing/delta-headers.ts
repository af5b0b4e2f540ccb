/**
 * Headers of deltas, written straight into the output.
 *
 * @module
 */
import { OFS_DELTA, REF_DELTA } from '../../core/object-kind.ts';
import { writeBaseDistance, writeTypeAndSize } from '../../pack/entry-header.ts';
import type { PackOutput } from './pack-output.ts';

/** Write the header of a delta whose base lies `distance` bytes before it. The output must not be full. */
export function writeOfsDelta(output: PackOutput, sizeBytes: number, distance: number): void {
  const at = writeTypeAndSize(output.chunk, output.length, OFS_DELTA, sizeBytes);
  output.claim(writeBaseDistance(output.chunk, at, distance));
}

/** Write the header of a delta whose base is named by the raw id at `ids[at]`. The output must not be full. */
export function writeRefDelta(
  output: PackOutput,
  sizeBytes: number,
  ids: Uint8Array,
  at: number,
  idBytes: number,
): void {
  const { chunk } = output;
  let to = writeTypeAndSize(chunk, output.length, REF_DELTA, sizeBytes);
  for (let i = 0; i < idBytes; i++) chunk[to++] = ids[at + i] as number;
  output.claim(to);
}
