/**
 * Object ids and the two hash functions that make them.
 * Spec: gitformat-pack(5), "SHA-1"; hash-function-transition.
 *
 * At the surface an id is lowercase hex; in tables and hot loops it is `idBytes` raw bytes inside a
 * larger array, named by the array and an offset, so that nothing is allocated per object.
 *
 * @module
 */
import { GitError } from './errors.ts';

/** Lowercase hex: 40 digits for SHA-1, 64 for SHA-256. */
export type ObjectId = string;

export interface ObjectFormat {
  readonly name: 'sha1' | 'sha256';
  /** Bytes of a raw id: 20 or 32. */
  readonly idBytes: number;
  /** Digits of an id in hex: 40 or 64. */
  readonly idHexDigits: number;
  /** The number of this hash function in .rev, .bitmap, commit-graph and multi-pack-index files. */
  readonly hashVersion: 1 | 2;
  /** All zeros: "no object" in a ref update. */
  readonly zeroId: ObjectId;
  /** The tree without entries. */
  readonly emptyTreeId: ObjectId;
}

export const SHA1: ObjectFormat = {
  name: 'sha1',
  idBytes: 20,
  idHexDigits: 40,
  hashVersion: 1,
  zeroId: '0'.repeat(40),
  emptyTreeId: '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
};

export const SHA256: ObjectFormat = {
  name: 'sha256',
  idBytes: 32,
  idHexDigits: 64,
  hashVersion: 2,
  zeroId: '0'.repeat(64),
  emptyTreeId: '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321',
};

export type ObjectFormatName = ObjectFormat['name'];

/** @throws {GitError} UNSUPPORTED for any other name */
export function objectFormatByName(name: string): ObjectFormat {
  if (name === 'sha1') return SHA1;
  if (name === 'sha256') return SHA256;
  throw new GitError('UNSUPPORTED', `Cannot use object format '${name}': expected sha1 or sha256`);
}

const HEX_DIGITS = /^[0-9a-f]+$/;

/** @returns whether `text` is a whole lowercase id of this format */
export function isObjectId(text: string, format: ObjectFormat): text is ObjectId {
  return text.length === format.idHexDigits && HEX_DIGITS.test(text);
}

const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Hex of the `length` bytes at `offset`. */
export function bytesToHex(bytes: Uint8Array, offset = 0, length = bytes.length - offset): string {
  let hex = '';
  for (let i = offset, end = offset + length; i < end; i++) hex += HEX_OF_BYTE[bytes[i] as number];
  return hex;
}

/**
 * The raw bytes of an id.
 *
 * @throws {GitError} INVALID_ARGUMENT when `hex` has an odd length or another character than 0-9, a-f
 */
export function hexToBytes(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || (hex.length > 0 && !HEX_DIGITS.test(hex))) {
    throw new GitError('INVALID_ARGUMENT', `Cannot read hex: got ${JSON.stringify(hex.slice(0, 80))}`);
  }
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = hexDigit(hex.charCodeAt(2 * i)) * 16 + hexDigit(hex.charCodeAt(2 * i + 1));
  }
  return bytes;
}

function hexDigit(code: number): number {
  return code <= 57 ? code - 48 : code - 87; // '0' is 48; 'a' is 97 and counts ten
}

/** Order of two raw ids of `length` bytes: negative, zero or positive, as memcmp. */
export function compareIds(
  a: Uint8Array,
  aOffset: number,
  b: Uint8Array,
  bOffset: number,
  length: number,
): number {
  for (let i = 0; i < length; i++) {
    const difference = (a[aOffset + i] as number) - (b[bOffset + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
