/**
 * Who is asking, as far as a credential shows it.
 *
 * @module
 */

/** What a credential may be used for, beside what its owner may do: `write` includes `read`, `admin` both. */
export type Scope = 'read' | 'write' | 'admin';

/** How a subject proved who it is. */
export interface Credential {
  readonly kind: 'token' | 'password' | 'ssh-key' | 'ssh-certificate' | 'tls-certificate' | 'proxy';
  /** Names it in logs and can take it back: a token's prefix, a key's fingerprint. Never the secret. */
  readonly id: string;
  /** Without it, whatever its owner may do. */
  readonly scope?: Scope | undefined;
  /** Patterns of repositories it is good for ({@link matchesPath}); without them, all. */
  readonly repositories?: readonly string[] | undefined;
  /** Milliseconds since the epoch; what began before goes on. */
  readonly expiresAt?: number | undefined;
}

/** Somebody, or nobody: {@link ANONYMOUS}. */
export interface Subject {
  /** Empty for the anonymous. */
  readonly name: string;
  readonly groups: readonly string[];
  readonly credential?: Credential | undefined;
}

export const ANONYMOUS: Subject = { name: '', groups: [] };

export function isAnonymous(subject: Subject): boolean {
  return subject.name === '';
}
