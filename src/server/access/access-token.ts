/**
 * Access tokens: made here, shown once, kept as hashes.
 *
 * `pw_<id>_<secret>`: twelve letters and digits that name it, which is how it is looked up and what logs show, and
 * 43 that prove it, 256 bits. A hash without salt or stretching is enough for that much chance.
 *
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export interface AccessToken {
  readonly id: string;
  readonly secret: string;
}

const ID_CHARACTERS = 12;
const SECRET_CHARACTERS = 43;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SHAPE = new RegExp(`^pw_([0-9A-Za-z]{${ID_CHARACTERS}})_([0-9A-Za-z]{${SECRET_CHARACTERS}})$`);

export function makeAccessToken(): AccessToken {
  return { id: randomText(ID_CHARACTERS), secret: randomText(SECRET_CHARACTERS) };
}

/** What its owner is shown. */
export function formatAccessToken({ id, secret }: AccessToken): string {
  return `pw_${id}_${secret}`;
}

/** @returns `undefined` for text that is no token of ours */
export function parseAccessToken(text: string): AccessToken | undefined {
  const [, id, secret] = SHAPE.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** What is stored: SHA-256 of the secret, 64 hex digits. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Whether `secret` is the one of `hash`, in the same time whatever it is. */
export function matchesSecret(secret: string, hash: string): boolean {
  const [found, kept] = [Buffer.from(hashSecret(secret)), Buffer.from(hash)];
  return found.length === kept.length && timingSafeEqual(found, kept);
}

/** Each character equally likely: bytes that would favour some are thrown away. */
function randomText(length: number): string {
  const fair = 256 - (256 % ALPHABET.length);
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < fair && text.length < length) text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text;
}
