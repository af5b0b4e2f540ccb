/**
 * Writing `.idx` files, version 2.
 * Spec: gitformat-pack(5), "pack-*.idx files have the following format", "Version 2".
 *
 * @module
 */
import { writeUint32 } from '../core/bytes.ts';
import type { Runtime } from '../core/runtime.ts';
import { ChunkWriter } from './chunk-writer.ts';
import type { ObjectTable } from './object-table.ts';

const SIGNATURE = 0xff744f63; // "\377tOc"
const VERSION = 2;
/** Offsets from here on go to the table of 64-bit offsets. */
const LARGE_OFFSET = 0x80000000;

/**
 * The index of a pack, in chunks, its own checksum last.
 *
 * @param order the entries of `table` by id
 * @param packChecksum trailer of the pack
 */
export function* encodePackIndex(
  table: ObjectTable,
  order: Int32Array,
  packChecksum: Uint8Array,
  runtime: Runtime,
): Generator<Uint8Array, undefined> {
  const { ids, crcs, offsets, idBytes } = table.columns;
  const out = new ChunkWriter(table.format, runtime);

  const head = new Uint8Array(8 + 256 * 4);
  writeUint32(head, 0, SIGNATURE);
  writeUint32(head, 4, VERSION);
  const perFirstByte = new Uint32Array(256);
  for (let rank = 0; rank < order.length; rank++) {
    perFirstByte[ids[(order[rank] as number) * idBytes] as number]!++;
  }
  for (let byte = 0, upTo = 0; byte < 256; byte++) {
    upTo += perFirstByte[byte] as number;
    writeUint32(head, 8 + byte * 4, upTo);
  }
  out.bytes(head, 0, head.length);

  for (let rank = 0; rank < order.length; rank++) {
    if (out.isFull) yield out.take();
    out.bytes(ids, (order[rank] as number) * idBytes, idBytes);
  }
  for (let rank = 0; rank < order.length; rank++) {
    if (out.isFull) yield out.take();
    out.uint32(crcs[order[rank] as number] as number);
  }
  let largeCount = 0;
  for (let rank = 0; rank < order.length; rank++) {
    if (out.isFull) yield out.take();
    const offset = offsets[order[rank] as number] as number;
    out.uint32(offset < LARGE_OFFSET ? offset : LARGE_OFFSET + largeCount++);
  }
  for (let rank = 0; largeCount > 0 && rank < order.length; rank++) {
    const offset = offsets[order[rank] as number] as number;
    if (offset < LARGE_OFFSET) continue;
    if (out.isFull) yield out.take();
    out.uint32(Math.floor(offset / 0x100000000));
    out.uint32(offset % 0x100000000);
  }
  out.bytes(packChecksum, 0, packChecksum.length);
  yield out.finish();
  return undefined;
}
