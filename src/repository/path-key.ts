/**
 * A number for each path, the same for the same path: by it a tree is compared with the one that stood
 * there before. Two paths with one key cost time, never correctness.
 *
 * @module
 */

const SLASH = 0x2f;
const FNV_PRIME = 0x01000193;

/** Path key of root trees. */
export const ROOT_KEY = 1;

/** The key of a directory: its parent's, carried on over its name (FNV-1a). */
export function pathKeyOf(parentKey: number, bytes: Uint8Array, nameStart: number, nameEnd: number): number {
  let key = parentKey;
  for (let i = nameStart; i < nameEnd; i++) key = Math.imul(key ^ (bytes[i] as number), FNV_PRIME);
  return Math.imul(key ^ SLASH, FNV_PRIME);
}
