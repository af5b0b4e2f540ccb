/**
 * Writing `.rev` files: the index position of each entry, in pack order.
 * Spec: gitformat-pack(5), "pack-*.rev files have the format".
 *
 * @module
 */
import type { Runtime } from '../core/runtime.ts';
import { ChunkWriter } from './chunk-writer.ts';
import type { ObjectTable } from './object-table.ts';

const SIGNATURE = 0x52494458; // "RIDX"
const VERSION = 1;

/** As {@link encodePackIndex}, for the reverse index. */
export function* encodeReverseIndex(
  table: ObjectTable,
  order: Int32Array,
  packChecksum: Uint8Array,
  runtime: Runtime,
): Generator<Uint8Array, undefined> {
  const out = new ChunkWriter(table.format, runtime);
  out.uint32(SIGNATURE);
  out.uint32(VERSION);
  out.uint32(table.format.hashVersion);
  const ranks = new Int32Array(order.length);
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank] as number] = rank;
  for (let entry = 0; entry < ranks.length; entry++) {
    if (out.isFull) yield out.take();
    out.uint32(ranks[entry] as number);
  }
  out.bytes(packChecksum, 0, packChecksum.length);
  yield out.finish();
  return undefined;
}
