/**
 * Signatures as SSH sends them.
 * Spec: RFC 4253 section 6.6, RFC 5656 section 3.1.2, RFC 8332; OpenSSH's PROTOCOL.u2f for security keys.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { WireFields } from './wire-fields.ts';

export interface Signature {
  readonly algorithm: string;
  /** What the algorithm makes; of ecdsa two numbers, as SSH writes them. */
  readonly value: Uint8Array;
  /** Of security keys: what the key saw, and how often it has signed. */
  readonly securityKey?: { readonly flags: number; readonly counter: number } | undefined;
}

/** Somebody touched the security key. */
export const USER_PRESENT = 1;

/** @throws {GitError} PROTOCOL_VIOLATION when it is malformed */
export function parseSignature(blob: Uint8Array): Signature {
  const fields = new WireFields(blob);
  const algorithm = fields.text();
  const value = fields.bytes();
  if (fields.atEnd) return { algorithm, value };
  const securityKey = { flags: fields.uint8(), counter: fields.uint32() };
  fields.end();
  return { algorithm, value, securityKey };
}

/**
 * The two numbers of an ecdsa signature, each filled up to the bytes of the curve: the form of IEEE P1363.
 *
 * @throws {GitError} PROTOCOL_VIOLATION when they are malformed or too large
 */
export function ecdsaNumbers(value: Uint8Array, coordinateBytes: number): Uint8Array {
  const fields = new WireFields(value);
  const numbers = new Uint8Array(2 * coordinateBytes);
  for (const end of [coordinateBytes, 2 * coordinateBytes]) {
    const number = fields.mpint();
    if (number.length > coordinateBytes) {
      throw new GitError('PROTOCOL_VIOLATION', 'Cannot read SSH signature: a number is too large');
    }
    numbers.set(number, end - number.length);
  }
  fields.end();
  return numbers;
}
