/**
 * The certificate of a signed push: what a pusher signs in place of bare commands, and what is found out about it.
 * Spec: gitprotocol-pack(5), "Push Certificate"; git-receive-pack(1), "PRE-RECEIVE HOOK".
 *
 * @module
 */
import { decodeLatin1, decodeText } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';

/** As it was sent: all of it is a stranger's word until {@link JudgedCertificate} says otherwise. */
export interface PushCertificate {
  /** The whole: header, commands, signature. */
  readonly bytes: Uint8Array;
  /** How many of {@link bytes} are signed; the signature follows. */
  readonly signedBytes: number;
  /** Key or name, mail address, date. */
  readonly pusher: string | undefined;
  /** The URL that was pushed to, without a password; not every pusher says it. */
  readonly pushee: string | undefined;
  readonly nonce: string | undefined;
  readonly pushOptions: readonly string[];
}

/**
 * What the nonce says. `OK`: it is the one that was given out, or one of another server of this repository within
 * `receive.certNonceSlop`; `SLOP`: one of this repository, but given out longer ago; `BAD`: neither; `MISSING`: the
 * certificate has none; `UNSOLICITED`: it has one although none was given out.
 */
type NonceStatus = 'OK' | 'SLOP' | 'BAD' | 'MISSING' | 'UNSOLICITED';

export interface JudgedNonce {
  readonly status: NonceStatus;
  /** The nonce that was given out, or is taken for it; `undefined` when none is. */
  readonly nonce: string | undefined;
  /** Seconds between then and now, when the status is SLOP; negative for one from the future. */
  readonly slopSeconds: number;
}

/**
 * git's letters: Good; Bad; an eXpired signature; one by a key that expired since (Y); by a Revoked key; one that cannot
 * be checked, for want of the key or a program (E); None that anybody would know how to check.
 */
export type SignatureStatus = 'G' | 'B' | 'X' | 'Y' | 'R' | 'E' | 'N';

export interface SignatureCheck {
  readonly status: SignatureStatus;
  /** Who signed, as the key says. */
  readonly signer?: string | undefined;
  /** The id of the key. */
  readonly key?: string | undefined;
  readonly fingerprint?: string | undefined;
  /** How far the key is trusted to be the signer's: a good signature alone says nothing about that. */
  readonly trust?: SignatureTrust | undefined;
}

export type SignatureTrust = 'undefined' | 'never' | 'marginal' | 'fully' | 'ultimate';

/** A certificate with what was found out about it, for hooks to decide upon. Nothing is refused by itself. */
export interface JudgedCertificate {
  readonly certificate: PushCertificate;
  /** Of the blob that {@link PushCertificate.bytes} are stored as, with the pushed objects. */
  readonly id: ObjectId;
  readonly nonce: JudgedNonce;
  readonly signature: SignatureCheck;
}

/** What may begin a signature, at the start of a line. */
const SIGNATURE_STARTS = {
  openpgp: ['-----BEGIN PGP SIGNATURE-----', '-----BEGIN PGP MESSAGE-----'],
  x509: ['-----BEGIN SIGNED MESSAGE-----'],
  ssh: ['-----BEGIN SSH SIGNATURE-----'],
} as const;

export type SignatureFormat = keyof typeof SIGNATURE_STARTS;

/** @returns which kind of signature `text` begins with */
export function signatureFormatOf(text: string): SignatureFormat | undefined {
  for (const format of ['openpgp', 'x509', 'ssh'] as const) {
    if (SIGNATURE_STARTS[format].some((start) => text.startsWith(start))) return format;
  }
  return undefined;
}

/**
 * Read a certificate. It keeps `bytes`.
 *
 * @param addCommand told of each line of the body, without its newline
 * @throws {GitError} PROTOCOL_VIOLATION when it has no end of its header
 */
export function parsePushCertificate(
  bytes: Uint8Array,
  addCommand: (line: Uint8Array) => void,
): PushCertificate {
  const bodyStart = endOfHeader(bytes);
  const signedBytes = startOfSignature(bytes);
  for (let at = bodyStart; at < signedBytes; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 || newline > signedBytes ? signedBytes : newline;
    addCommand(bytes.subarray(at, end));
    at = end + 1;
  }
  const header = decodeText(bytes.subarray(0, bodyStart)).split('\n');
  const valuesOf = (key: string): string[] =>
    header.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  return {
    bytes,
    signedBytes,
    pusher: valuesOf('pusher')[0],
    pushee: valuesOf('pushee')[0],
    nonce: valuesOf('nonce')[0],
    pushOptions: valuesOf('push-option'),
  };
}

const NEWLINE = 10;
const DASH = 45;
/** No start of a signature is longer. */
const LONGEST_START = 40;

function endOfHeader(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (bytes[at + 1] === NEWLINE) return at + 2;
  }
  throw new GitError(
    'PROTOCOL_VIOLATION',
    'protocol error: malformed push certificate: its header has no end',
  );
}

/** The last line that begins one, as git reads it; the end when there is none. */
function startOfSignature(bytes: Uint8Array): number {
  let start = bytes.length;
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] === DASH) {
      const text = decodeLatin1(bytes, at, Math.min(bytes.length, at + LONGEST_START));
      if (signatureFormatOf(text) !== undefined) start = at;
    }
    const newline = bytes.indexOf(NEWLINE, at);
    at = newline < 0 ? bytes.length : newline + 1;
  }
  return start;
}
