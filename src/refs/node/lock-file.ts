/**
 * Lock files as git makes them: whoever creates `<path>.lock` may replace `<path>`.
 * Spec: git's Documentation/technical/api-lockfile; core.filesRefLockTimeout in git-config(1).
 *
 * New content is staged first: written and synced under another name. The lock is then a hard link to it, so
 * that it is held for microseconds, not for the time of a disk flush; a process killed at a random moment
 * hardly ever leaves a lock behind. Where links are not to be had, the lock file is written in place.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { GitError, throwIfAborted } from '../../core/errors.ts';
import {
  makeSharedDirectories,
  type SharedPermissions,
  shareFile,
} from '../../core/node/shared-permissions.ts';
import { writeFully } from '../../core/node/write-fully.ts';
import { isSystemError } from './system-error.ts';

/** How often a parent directory is made anew when others remove it under us. git: 3. */
const DIRECTORY_ATTEMPTS = 3;
const LONGEST_WAIT_MS = 20;
const syncFile = promisify(fs.fsync);

/** What a file system answers that has no hard links, or none from there to here. */
const NO_LINKS = ['EXDEV', 'EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'];

export interface LockOptions {
  /** How long to try while another holds the lock, in milliseconds. 0 tries once. */
  readonly timeoutMs: number;
  /** What a commit puts in place. A lock without it, or with an empty one that many share, is only released. */
  readonly staged?: StagedFile | undefined;
  /** Who may use directories that are made for it. */
  readonly shared?: SharedPermissions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How new content is written. */
export interface StagingOptions {
  /** Sync it to the disk. */
  readonly fsync: boolean;
  readonly shared: SharedPermissions | undefined;
}

/** Content on its way to a file: already on disk, under a name of its own. */
export class StagedFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly shared: SharedPermissions | undefined;

  private constructor(path: string, content: Uint8Array, shared: SharedPermissions | undefined) {
    this.path = path;
    this.content = content;
    this.shared = shared;
  }

  /**
   * Write `content` to a new file in `directory`. The name begins with `tmp_`: in the `objects` directory git gc removes
   * such files when a crash has left them.
   */
  static async write(
    directory: string,
    content: Uint8Array,
    { fsync, shared }: StagingOptions,
  ): Promise<StagedFile> {
    const path = join(directory, `tmp_ref_${randomBytes(8).toString('hex')}`);
    const file = fs.openSync(path, 'wx', 0o666);
    try {
      writeFully(file, content);
      shareFile(file, shared);
      if (fsync) await syncFile(file);
    } catch (error) {
      fs.rmSync(path, { force: true });
      throw error;
    } finally {
      fs.closeSync(file);
    }
    return new StagedFile(path, content, shared);
  }

  /** Safe to call twice. */
  remove(): void {
    removeFile(this.path);
  }
}

export class LockFile {
  readonly path: string;
  #isHeld = true;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Create `<path>.lock`, and the directories it needs.
   *
   * @throws {GitError} REF_CONFLICT when another holds it until the timeout; ABORTED. Errors of the file system
   * come as they are: `ENOTDIR` and `EEXIST` when a file is where a directory is needed
   */
  static async acquire(path: string, { timeoutMs, staged, shared, signal }: LockOptions): Promise<LockFile> {
    const deadline = performance.now() + timeoutMs;
    let directoryAttempts = DIRECTORY_ATTEMPTS;
    for (let waitMs = 1; ; ) {
      try {
        createLock(`${path}.lock`, staged);
        return new LockFile(path);
      } catch (error) {
        if (isSystemError(error, 'ENOENT') && directoryAttempts-- > 0) {
          makeSharedDirectories(dirname(path), shared);
          continue;
        }
        if (!isSystemError(error, 'EEXIST')) throw error;
        if (performance.now() >= deadline) {
          throw new GitError('REF_CONFLICT', 'Unable to create lock file: File exists', { path }, error);
        }
      }
      throwIfAborted(signal);
      await sleep(waitMs * (0.5 + Math.random()));
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
    }
  }

  /** Put the staged content in place, which gives the lock up. */
  commit(): void {
    fs.renameSync(`${this.path}.lock`, this.path);
    this.#isHeld = false;
  }

  /** Give the lock up without a change. Safe to call twice, and after a commit. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    removeFile(`${this.path}.lock`);
  }
}

function removeFile(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}

function createLock(lockPath: string, staged: StagedFile | undefined): void {
  if (staged === undefined) {
    fs.closeSync(fs.openSync(lockPath, 'wx', 0o666));
    return;
  }
  try {
    fs.linkSync(staged.path, lockPath);
  } catch (error) {
    if (!isSystemError(error, ...NO_LINKS)) throw error;
    writeLock(lockPath, staged);
  }
}

function writeLock(lockPath: string, { content, shared }: StagedFile): void {
  const file = fs.openSync(lockPath, 'wx', 0o666);
  try {
    writeFully(file, content);
    shareFile(file, shared);
    fs.fsyncSync(file);
  } catch (error) {
    fs.rmSync(lockPath, { force: true });
    throw error;
  } finally {
    fs.closeSync(file);
  }
}
