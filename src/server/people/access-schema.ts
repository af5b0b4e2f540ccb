/**
 * The access file: what may be written in it.
 *
 * Members that are not known here are kept and mean nothing, unless they look like a slip: a token whose `scope` is
 * misspelt must not be good for everything.
 *
 * @module
 */
import * as z from 'zod';
import { repositoryPatterns } from '../config/rule-settings.ts';

const USER_ERROR = 'must be a user name: no spaces, colons, quotes or backslashes, and no @ in front';
const TIME_ERROR = 'must be a date such as "2027-01-31", or a time such as "2027-01-31T12:00:00Z"';
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;
const FINGERPRINT_ERROR = 'must be a fingerprint such as "SHA256:…", as ssh-keygen -l shows it';

const userName = z.string(USER_ERROR).refine(isUserName, USER_ERROR);

const groupName = z.string('must be a name').refine(isUserName, 'must be the name of a group, without the @');

/** Milliseconds since the epoch. */
const time = z
  .string(TIME_ERROR)
  .refine((text) => parseTime(text) !== undefined, TIME_ERROR)
  .transform((text) => parseTime(text) ?? Number.NaN);

const scope = z.enum(['read', 'write', 'admin'], 'must be read, write or admin');

const credential = {
  user: userName,
  scope: scope.optional(),
  repositories: repositoryPatterns.optional(),
  expiresAt: time.optional(),
  createdAt: time.optional(),
  comment: z.string('must be text').optional(),
};

const token = object({
  id: z
    .string('must be text')
    .regex(/^[0-9A-Za-z]{12}$/, "must be the twelve letters and digits of a token's id"),
  hash: z.string('must be text').regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'),
  ...credential,
});

const key = object({ key: z.string('must be a public key such as "ssh-ed25519 AAAA…"'), ...credential });

const authority = object({
  key: z.string('must be a public key such as "ssh-ed25519 AAAA…"'),
  comment: z.string('must be text').optional(),
  createdAt: time.optional(),
});

const tlsCertificate = object({
  fingerprint: z
    .string('must be text')
    .regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the certificate: 64 hexadecimal digits in small letters')
    .optional(),
  subject: z.string('must be text').min(1, 'must be a whole subject such as "CN=alice,O=Example"').optional(),
  user: userName,
  comment: z.string('must be text').optional(),
}).refine(
  ({ fingerprint, subject }) => (fingerprint === undefined) !== (subject === undefined),
  'must have either a fingerprint or a subject',
);

export const accessSchema = object({
  users: z
    .record(userName, object({ groups: z.array(groupName, 'must be a list of groups').prefault([]) }), {
      error: ({ code }) => (code === 'invalid_key' ? USER_ERROR : 'must be an object: { "alice": { … } }'),
    })
    .prefault({}),
  tokens: z.array(token, 'must be a list of tokens').prefault([]),
  keys: z.array(key, 'must be a list of keys').prefault([]),
  certificateAuthorities: z.array(authority, 'must be a list of authorities').prefault([]),
  tlsCertificates: z.array(tlsCertificate, 'must be a list of TLS certificates').prefault([]),
  revokedKeys: z
    .array(
      z.string(FINGERPRINT_ERROR).regex(/^SHA256:[A-Za-z0-9+/]{43}$/, FINGERPRINT_ERROR),
      'must be a list of fingerprints',
    )
    .prefault([]),
});

export type AccessContents = z.output<typeof accessSchema>;

export function isUserName(name: string): boolean {
  return /^(?!@)[^\s:"'\\\p{Cc}]{1,100}$/u.test(name);
}

/** @returns milliseconds since the epoch; `undefined` for text that is no time */
function parseTime(text: string): number | undefined {
  const ms = TIME.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function object<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$loose> {
  return z.looseObject(shape, 'must be an object: { … }');
}
