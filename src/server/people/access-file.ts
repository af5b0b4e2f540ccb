/**
 * The access file as a running server uses it: read again when it has changed, so that what is taken back is taken
 * back within a second.
 *
 * @module
 */
import { open } from 'node:fs/promises';
import { GitError, isGitError } from '../../core/errors.ts';
import { isAbsent, storageError, systemCode } from '../../core/node/storage-error.ts';
import { keyFingerprint } from '../../transport/node/ssh/key-fingerprint.ts';
import type { Certificate } from '../../transport/ssh/certificate.ts';
import type { People } from '../access/people.ts';
import type { Subject } from '../access/subject.ts';
import type { StoredToken } from '../access/token-authenticator.ts';
import { exposureOf } from '../config/check-files.ts';
import { formatProblem } from '../config/problem.ts';
import { accessFileError, parseAccessFileInTurns } from './access-index.ts';
import type { AccessIndex } from './access-index-builder.ts';
import { fingerprintOf } from './certified-key.ts';

export interface AccessFileOptions {
  /** Told when the file cannot be used, and what was read before goes on to hold; `detail.path` is its place. */
  readonly onWarning?: ((warning: GitError) => void) | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: (() => number) | undefined;
}

/** How long what was read is used without a look at the file, in milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** Longest access file, in bytes: some hundred thousand tokens. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

export class AccessFile implements People {
  readonly path: string;
  #index: AccessIndex;
  /** Of what was read last, right or wrong. */
  #identity: string;
  #lookedAt: number;
  #looking: Promise<boolean> | undefined;
  readonly #onWarning: (warning: GitError) => void;
  readonly #now: () => number;

  private constructor(path: string, identity: string, index: AccessIndex, options: AccessFileOptions) {
    const { onWarning = () => undefined, now = () => performance.now() } = options;
    this.path = path;
    this.#onWarning = onWarning;
    this.#now = now;
    this.#lookedAt = now();
    this.#identity = identity;
    this.#index = index;
  }

  /** @throws {GitError} INVALID_ARGUMENT with a line for each thing that is wrong in it; STORAGE_FAILED */
  static async open(path: string, options: AccessFileOptions = {}): Promise<AccessFile> {
    const first = await readAccessFile(path);
    return new AccessFile(path, first.identity, await parse(path, first), options);
  }

  // Documented as the interface has it. Those that do not wait answer by what was read last, and look behind.

  async token(id: string): Promise<StoredToken | undefined> {
    return (await this.#current()).tokens.get(id);
  }

  async groupsOf(user: string): Promise<readonly string[] | undefined> {
    return (await this.#current()).users.get(user);
  }

  async userOfKey(fingerprint: string, now: number = Date.now()): Promise<Subject | undefined> {
    const { keys, users } = await this.#current();
    const key = keys.get(fingerprint);
    const groups = key === undefined ? undefined : users.get(key.user);
    if (key === undefined || groups === undefined) return undefined;
    const { user, scope, repositories, expiresAt } = key;
    if (expiresAt !== undefined && now >= expiresAt) return undefined;
    return {
      name: user,
      groups,
      credential: { kind: 'ssh-key', id: fingerprint, scope, repositories, expiresAt },
    };
  }

  async userOfTlsCertificate(certificate: {
    readonly subject: string;
    readonly fingerprint: string;
  }): Promise<string | undefined> {
    const { tlsFingerprints, tlsSubjects } = await this.#current();
    return tlsFingerprints.get(certificate.fingerprint) ?? tlsSubjects.get(certificate.subject);
  }

  authorities(): ReadonlySet<string> {
    this.#lookBehind();
    return this.#index.authorities;
  }

  isRevoked(certificate: Certificate): boolean {
    this.#lookBehind();
    return isRevokedIn(this.#index, certificate);
  }

  /** The same for a key without a certificate. @param fingerprint `SHA256:…` */
  isRevokedKey(fingerprint: string): boolean {
    this.#lookBehind();
    return this.#index.revoked.has(fingerprint);
  }

  /**
   * Read the file now.
   *
   * @returns whether it holds now; if not, what was read before does, and the warning says why
   */
  async reload(): Promise<boolean> {
    await this.#looking; // a look that has begun may have seen what was there before
    return this.#look(true);
  }

  async #current(): Promise<AccessIndex> {
    if (this.#looking !== undefined || this.#now() - this.#lookedAt >= LOOK_EVERY_MS) await this.#look(false);
    return this.#index;
  }

  /** For those who cannot wait. */
  #lookBehind(): void {
    if (this.#looking !== undefined || this.#now() - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#look(false).catch((error: unknown) => this.#onWarning(asWarning(error, this.path)));
  }

  #look(always: boolean): Promise<boolean> {
    this.#looking ??= this.#lookOnce(always).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(always: boolean): Promise<boolean> {
    this.#lookedAt = this.#now();
    try {
      const read = await readAccessFile(this.path, always ? undefined : this.#identity);
      if (read === undefined) return true;
      this.#identity = read.identity;
      this.#index = await parse(this.path, read);
      return true;
    } catch (error) {
      if (!isGitError(error)) throw error;
      this.#warnOnce(error);
      return false;
    }
  }

  /** A file that cannot even be looked at is complained of once, too. */
  #warnOnce(error: GitError): void {
    const identity = error.code === 'STORAGE_FAILED' ? String(error.detail.code) : this.#identity;
    if (error.code === 'STORAGE_FAILED' && identity === this.#identity) return;
    this.#identity = identity;
    this.#onWarning(asWarning(error, this.path));
  }
}

interface ReadFile {
  readonly identity: string;
  readonly text: string;
  /** Why it was not read. */
  readonly unusable: string | undefined;
}

/** @throws {GitError} INVALID_ARGUMENT */
async function parse(path: string, { text, unusable }: ReadFile): Promise<AccessIndex> {
  if (unusable !== undefined) throw accessFileError(path, [unusable]);
  const { index, problems } = await parseAccessFileInTurns(path, text);
  if (index === undefined) throw accessFileError(path, problems.map(formatProblem));
  return index;
}

function readAccessFile(path: string): Promise<ReadFile>;
/** @returns `undefined` when it is the file of `known` */
function readAccessFile(path: string, known: string | undefined): Promise<ReadFile | undefined>;
async function readAccessFile(path: string, known?: string): Promise<ReadFile | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      // Taken before reading: who writes while we read is noticed the next time.
      const { mtimeNs, ctimeNs, size, ino, dev, mode } = await file.stat({ bigint: true });
      const identity = [dev, ino, size, mtimeNs, ctimeNs].join(' ');
      if (identity === known) return undefined;
      const unusable =
        size > BigInt(MAX_FILE_BYTES)
          ? `it is larger than ${MAX_FILE_BYTES} bytes`
          : exposureOf(path, Number(mode));
      return { identity, unusable, text: unusable === undefined ? await file.readFile('utf8') : '' };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isAbsent(error)) {
      throw new GitError('STORAGE_FAILED', `Cannot read access file: there is no '${path}'`, {
        path,
        code: systemCode(error),
      });
    }
    throw storageError(error, 'read access file', path);
  }
}

function isRevokedIn({ revoked }: AccessIndex, { key, authorityBlob }: Certificate): boolean {
  if (revoked.size === 0) return false;
  return revoked.has(keyFingerprint(authorityBlob)) || revoked.has(fingerprintOf(key));
}

function asWarning(error: unknown, path: string): GitError {
  const message = error instanceof Error ? error.message : String(error);
  return new GitError('STORAGE_FAILED', `${message}\nWhat it said before goes on to hold`, { path }, error);
}
