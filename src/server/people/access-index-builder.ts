/**
 * Makes the index of an access file, piece by piece.
 *
 * @module
 */
import { isGitError } from '../../core/errors.ts';
import type { Scope } from '../access/subject.ts';
import type { StoredToken } from '../access/token-authenticator.ts';
import type { PathStep, Problem } from '../config/problem.ts';
import {
  memberNames,
  misspeltMembers,
  type SchemaProblem,
  schemaProblems,
} from '../config/schema-problems.ts';
import { type AccessContents, accessSchema } from './access-schema.ts';
import type { AccessSlice } from './access-slices.ts';
import { parsePublicKeyLine } from './public-key-line.ts';

/** A public key as it is kept. */
export interface StoredKey {
  readonly fingerprint: string;
  readonly user: string;
  readonly scope?: Scope | undefined;
  readonly repositories?: readonly string[] | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
}

export interface AccessIndex {
  /** The groups of each user. */
  readonly users: ReadonlyMap<string, readonly string[]>;
  /** By id. */
  readonly tokens: ReadonlyMap<string, StoredToken>;
  /** By fingerprint, without those that were revoked. */
  readonly keys: ReadonlyMap<string, StoredKey>;
  /** Fingerprints of those whose certificates are taken. */
  readonly authorities: ReadonlySet<string>;
  /** Users by the fingerprints and by the subjects of their TLS certificates. */
  readonly tlsFingerprints: ReadonlyMap<string, string>;
  readonly tlsSubjects: ReadonlyMap<string, string>;
  /** Fingerprints. */
  readonly revoked: ReadonlySet<string>;
}

/** Something wrong at a place of the file. */
export interface AccessFinding extends SchemaProblem {
  readonly severity: Problem['severity'];
}

const membersAt = (path: readonly PathStep[]): readonly string[] => memberNames(accessSchema, path);

export class AccessIndexBuilder {
  readonly findings: AccessFinding[] = [];
  readonly #users = new Map<string, readonly string[]>();
  readonly #tokens = new Map<string, StoredToken>();
  readonly #keys = new Map<string, StoredKey>();
  readonly #authorities = new Set<string>();
  readonly #tlsFingerprints = new Map<string, string>();
  readonly #tlsSubjects = new Map<string, string>();
  readonly #revoked = new Set<string>();
  /** Of the piece that is being added. */
  #slice: AccessSlice = { value: {}, from: 0 };

  add(slice: AccessSlice): void {
    this.#slice = slice;
    for (const { path, ...problem } of misspeltMembers(accessSchema, slice.value)) {
      this.#found('error', path, problem.sentence, problem.unknown);
    }
    const parsed = accessSchema.safeParse(slice.value);
    if (parsed.success) {
      this.#addContents(parsed.data);
      return;
    }
    for (const problem of schemaProblems(parsed.error, { value: slice.value, membersAt })) {
      this.#found('error', problem.path, problem.sentence);
    }
  }

  finish(): AccessIndex {
    for (const fingerprint of this.#revoked) {
      this.#keys.delete(fingerprint);
      this.#authorities.delete(fingerprint);
    }
    return {
      users: this.#users,
      tokens: this.#tokens,
      keys: this.#keys,
      authorities: this.#authorities,
      tlsFingerprints: this.#tlsFingerprints,
      tlsSubjects: this.#tlsSubjects,
      revoked: this.#revoked,
    };
  }

  #addContents({ users, tokens, keys, ...others }: AccessContents): void {
    for (const [name, { groups }] of Object.entries(users)) this.#users.set(name, groups);
    for (const [at, token] of tokens.entries()) this.#addToken(at, token);
    for (const [at, key] of keys.entries()) this.#addKey(at, key);
    for (const [at, { key }] of others.certificateAuthorities.entries()) {
      const fingerprint = this.#fingerprintAt(['certificateAuthorities', at, 'key'], key);
      if (fingerprint !== undefined) this.#authorities.add(fingerprint);
    }
    for (const [at, certificate] of others.tlsCertificates.entries()) this.#addTls(at, certificate);
    for (const fingerprint of others.revokedKeys) this.#revoked.add(fingerprint);
  }

  #addToken(at: number, token: AccessContents['tokens'][number]): void {
    const { id, hash, user, scope, repositories, expiresAt } = token;
    if (this.#tokens.has(id)) this.#found('error', ['tokens', at, 'id'], `there is another token ${id}`);
    this.#needsUser(['tokens', at, 'user'], user);
    this.#tokens.set(id, { id, hash, user, scope, repositories, expiresAt });
  }

  #addKey(at: number, stored: AccessContents['keys'][number]): void {
    const { key, user, scope, repositories, expiresAt } = stored;
    const path = ['keys', at, 'key'];
    const fingerprint = this.#fingerprintAt(path, key);
    if (fingerprint === undefined) return;
    if (this.#keys.has(fingerprint))
      this.#found('error', path, `there is the same key before: ${fingerprint}`);
    this.#needsUser(['keys', at, 'user'], user);
    this.#keys.set(fingerprint, { fingerprint, user, scope, repositories, expiresAt });
  }

  #addTls(at: number, { fingerprint, subject, user }: AccessContents['tlsCertificates'][number]): void {
    const id = fingerprint ?? subject ?? '';
    const by = fingerprint === undefined ? this.#tlsSubjects : this.#tlsFingerprints;
    if (by.has(id))
      this.#found('error', ['tlsCertificates', at], `there is the same certificate before: ${id}`);
    this.#needsUser(['tlsCertificates', at, 'user'], user);
    by.set(id, user);
  }

  #needsUser(path: readonly PathStep[], user: string): void {
    if (this.#users.has(user)) return;
    this.#found('warning', path, `there is no user ${JSON.stringify(user)}, so it is nobody's`);
  }

  #fingerprintAt(path: readonly PathStep[], line: string): string | undefined {
    try {
      return parsePublicKeyLine(line).fingerprint;
    } catch (error) {
      if (!isGitError(error, 'INVALID_ARGUMENT', 'PROTOCOL_VIOLATION', 'UNSUPPORTED')) throw error;
      this.#found('error', path, error.message);
      return undefined;
    }
  }

  #found(
    severity: AccessFinding['severity'],
    path: readonly PathStep[],
    sentence: string,
    unknown?: string | undefined,
  ): void {
    const { list, from } = this.#slice;
    const [name, at, ...rest] = path;
    const whole = name === list && typeof at === 'number' ? [name as string, from + at, ...rest] : path;
    this.findings.push({ severity, path: whole, sentence, unknown });
  }
}
