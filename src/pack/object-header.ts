/**
 * What an object's id is the hash of: `kind SP size NUL`, then the content.
 * Spec: gitformat-pack(5); git-hash-object(1).
 *
 * @module
 */
import { kindOfCode } from '../core/object-kind.ts';

/** Room for the longest header: `commit`, a space, 16 digits, NUL. */
export const OBJECT_HEADER_ROOM = 24;

const NAMES = [0, 1, 2, 3, 4].map((code) => [...`${kindOfCode(code) ?? ''} `].map((c) => c.charCodeAt(0)));

/**
 * Write the header so that it ends just before `target[end]`, where the content begins: then one hash call
 * covers both. `code` is the pack type of a whole object, 1 to 4.
 *
 * @returns where the header begins
 */
export function writeObjectHeader(target: Uint8Array, end: number, code: number, sizeBytes: number): number {
  let at = end;
  target[--at] = 0;
  let rest = sizeBytes;
  do {
    target[--at] = 48 + (rest % 10); // '0'
    rest = Math.floor(rest / 10);
  } while (rest > 0);
  const name = NAMES[code] as number[];
  for (let i = name.length - 1; i >= 0; i--) target[--at] = name[i] as number;
  return at;
}
