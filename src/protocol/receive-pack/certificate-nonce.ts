/**
 * The nonce of signed pushes: a time and, so that any server of a repository knows its own and the others' without
 * keeping them, a keyed hash of that time and the repository's name.
 * Spec: git-config(1), "receive.certNonceSeed", "receive.certNonceSlop"; gitprotocol-capabilities(5), "push-cert".
 *
 * @module
 */

import { encodeText, joinBytes } from '../../core/bytes.ts';
import { bytesToHex, type ObjectFormat } from '../../core/object-id.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { GitConfig } from '../../repository/git-config.ts';
import type { JudgedNonce } from '../../repository/push/push-certificate.ts';

export interface NonceKey {
  readonly runtime: Runtime;
  /** SHA-1 or SHA-256 is the hash that is keyed. */
  readonly format: ObjectFormat;
  /** `receive.certNonceSeed`: the servers' secret. */
  readonly seed: string;
  /** What the repository is called, the same on every server: to git its path as the command was given it. */
  readonly scope: string;
}

/** What a nonce is made and judged with. */
export interface NonceRules extends NonceKey {
  /** `receive.certNonceSlop`: seconds that a nonce of another moment may be old and yet count as today's. 0: none. */
  readonly slopSeconds: number;
}

/** @returns `undefined` when the repository takes no signed pushes */
export function configuredNonce(
  config: GitConfig | undefined,
  key: Omit<NonceKey, 'seed'>,
): NonceRules | undefined {
  const seed = config?.get('receive.certNonceSeed');
  if (seed === undefined) return undefined;
  return { ...key, seed, slopSeconds: config?.getInteger('receive.certNonceSlop') ?? 0 };
}

/** `<seconds>-<hash>`, byte for byte as git makes it. */
export function createNonce({ runtime, format, seed, scope }: NonceKey, seconds: number): string {
  // git takes what others would call the message for the key, and the secret for the message.
  const hash = hmac(runtime, format, encodeText(`${scope}:${seconds}`), encodeText(seed));
  return `${seconds}-${bytesToHex(hash, 0, hash.length)}`;
}

/**
 * @param nonce the certificate's
 * @param given the nonce of this moment; `undefined` when none is given out
 * @param rules for requests that stand alone: the nonce was given out in an earlier one, perhaps by another server.
 * Without them it must be this very one
 */
export function judgeNonce(
  nonce: string | undefined,
  given: string | undefined,
  rules: NonceRules | undefined,
): JudgedNonce {
  const judged = (status: JudgedNonce['status'], slopSeconds = 0): JudgedNonce => ({
    status,
    nonce: given,
    slopSeconds,
  });
  if (nonce === undefined) return judged('MISSING');
  if (given === undefined) return judged('UNSOLICITED');
  if (isSame(nonce, given)) return judged('OK');
  const [, digits] = /^([1-9]\d{0,14})-/.exec(nonce) ?? [];
  if (rules === undefined || digits === undefined) return judged('BAD');
  if (!isSame(nonce, createNonce(rules, Number(digits)))) return judged('BAD');
  const slopSeconds = Number.parseInt(given, 10) - Number(digits);
  if (rules.slopSeconds === 0 || Math.abs(slopSeconds) > rules.slopSeconds)
    return judged('SLOP', slopSeconds);
  return { status: 'OK', nonce, slopSeconds: 0 };
}

/** In a time that tells nothing but the length. */
function isSame(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}

/** Bytes that SHA-1 and SHA-256 take at once. */
const BLOCK_BYTES = 64;

/** RFC 2104. */
function hmac(runtime: Runtime, format: ObjectFormat, key: Uint8Array, text: Uint8Array): Uint8Array {
  const hashOf = (...parts: readonly Uint8Array[]): Uint8Array => {
    const hash = runtime.createHash(format);
    hash.update(joinBytes(parts));
    return hash.digest();
  };
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? hashOf(key) : key);
  const inner = hashOf(
    block.map((byte) => byte ^ 0x36),
    text,
  );
  return hashOf(
    block.map((byte) => byte ^ 0x5c),
    inner,
  );
}
