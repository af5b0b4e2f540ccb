/**
 * Files made of chunks, as no git would write them.
 *
 * @module
 */
import { concatBytes, encodeLatin1 } from '../../src/core/bytes.ts';
import type { ObjectFormat } from '../../src/core/object-id.ts';
import { resealed } from './bitmapped-repository.ts';

/** 32-bit big-endian numbers. */
export function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  for (const [i, value] of values.entries()) new DataView(bytes.buffer).setUint32(4 * i, value);
  return bytes;
}

/** @param header all before the table of chunks; byte 6 becomes their number */
export function chunkFile(
  header: Uint8Array,
  chunks: Readonly<Record<string, Uint8Array>>,
  format: ObjectFormat,
): Uint8Array {
  const parts = Object.entries(chunks);
  const head = header.slice();
  head[6] = parts.length;
  let at = head.length + 12 * (parts.length + 1);
  const rows: Uint8Array[] = [];
  for (const [id, bytes] of parts) {
    rows.push(encodeLatin1(id), words(0, at));
    at += bytes.length;
  }
  rows.push(words(0, 0, at));
  const content = parts.map(([, bytes]) => bytes);
  return resealed(concatBytes(head, ...rows, ...content, new Uint8Array(format.idBytes)), format);
}

/** The fan-out table of ids whose first bytes are these, in order. */
export function fanout(firstBytes: readonly number[]): Uint8Array {
  return words(
    ...Array.from({ length: 256 }, (_, byte) => firstBytes.filter((first) => first <= byte).length),
  );
}
