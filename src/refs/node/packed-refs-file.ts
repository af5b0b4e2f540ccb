/**
 * The packed-refs file of a repository: read once, and again when it has changed.
 *
 * @module
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { GitError } from '../../core/errors.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import { emptyPackedRefs, type PackedRefs, parsePackedRefs } from '../packed-refs.ts';
import { isSystemError } from './system-error.ts';

/** The largest file held in memory: about four million refs. */
const MAX_PACKED_REFS_BYTES = 256 * 1024 * 1024;

/**
 * A file changed so recently may change again without a visible sign: clocks of file systems tick every few
 * milliseconds, and a freed inode number comes back. Until it is older it is read again each time.
 */
const SETTLED_AFTER_MS = 100;

interface Snapshot {
  readonly refs: PackedRefs;
  /** Size, inode and time of change; `undefined` for a file that was not there. */
  readonly identity: string | undefined;
  readonly isSettled: boolean;
}

export class PackedRefsFile {
  readonly path: string;
  readonly #format: ObjectFormat;
  #snapshot: Snapshot | undefined;
  #lastTurn: Promise<void> = Promise.resolve();

  constructor(gitDirectory: string, format: ObjectFormat) {
    this.path = join(gitDirectory, 'packed-refs');
    this.#format = format;
  }

  /**
   * What the file holds now.
   *
   * @throws {GitError} REF_INVALID when it does not parse, LIMIT_EXCEEDED when it is too large to hold
   */
  read(): PackedRefs {
    const stat = fs.statSync(this.path, { bigint: true, throwIfNoEntry: false });
    const known = this.#snapshot;
    if (known?.isSettled === true && known.identity === identityOf(stat)) return known.refs;
    this.#snapshot = this.#load();
    return this.#snapshot.refs;
  }

  /** The bytes of the file; empty when there is none. */
  readBytes(): Uint8Array {
    return this.#open()?.bytes ?? new Uint8Array(0);
  }

  /** Wait until nobody of this process changes the file. @returns what ends the turn; safe to call twice */
  async takeTurn(): Promise<() => void> {
    const before = this.#lastTurn;
    let endTurn = (): void => {};
    this.#lastTurn = new Promise((resolve) => {
      endTurn = resolve;
    });
    await before;
    return endTurn;
  }

  #load(): Snapshot {
    const readAtMs = Date.now();
    const file = this.#open();
    // Nothing stale can be kept of a missing file: the next stat finds the new one.
    if (file === undefined) {
      return { refs: emptyPackedRefs(this.#format), identity: undefined, isSettled: true };
    }
    return {
      refs: parsePackedRefs(file.bytes, this.#format),
      identity: identityOf(file.stat),
      isSettled: Math.abs(readAtMs - Number(file.stat.ctimeMs)) > SETTLED_AFTER_MS,
    };
  }

  #open(): { readonly bytes: Uint8Array; readonly stat: fs.BigIntStats } | undefined {
    let descriptor: number;
    try {
      descriptor = fs.openSync(this.path, 'r');
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
    try {
      const stat = fs.fstatSync(descriptor, { bigint: true });
      if (stat.size > MAX_PACKED_REFS_BYTES) {
        const message = `Cannot read packed-refs: at most ${MAX_PACKED_REFS_BYTES} bytes are held, got ${stat.size}`;
        throw new GitError('LIMIT_EXCEEDED', message);
      }
      return { bytes: fs.readFileSync(descriptor), stat };
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

function identityOf(stat: fs.BigIntStats | undefined): string | undefined {
  return stat && `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}
