/**
 * The name hash of pack-objects: a number by which objects found at similar paths sort together, so
 * that versions of one file become candidates for each other's deltas.
 * Spec: gitformat-pack(5), "Name-hash cache" (version 1, the one that bitmaps store).
 *
 * @module
 */

const SLASH = 0x2f;

/**
 * Carry the hash of a path on over `bytes[start, end)`. It is incremental: the hash of `dir/file` is that
 * of `dir`, carried on over `/file`. Only the last sixteen characters that are not white space weigh.
 *
 * @param hash the hash of what precedes; 0 at the beginning of a path
 */
export function packNameHash(bytes: Uint8Array, start: number, end: number, hash: number): number {
  let carried = hash;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) continue;
    carried = ((carried >>> 2) + (byte << 24)) | 0;
  }
  return carried >>> 0;
}

/** The hash of a directory's path with the slash after it: what the names in it carry on from. */
export function directoryNameHash(pathHash: number): number {
  return ((pathHash >>> 2) + (SLASH << 24)) >>> 0;
}
