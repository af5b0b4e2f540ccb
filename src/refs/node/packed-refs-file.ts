/**
 * The packed-refs file of a repository: read once, and again when it has changed.
 *
 * @module
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { decodeText } from '../../core/bytes.ts';
import { GitError, isGitError } from '../../core/errors.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import { inOneGo, inTurns, type Steps } from '../../core/steps.ts';
import { emptyPackedRefs, type PackedRefs, readPackedRefs } from '../packed-refs.ts';
import { isSystemError } from './system-error.ts';

/** The largest file held in memory: about four million refs. */
const MAX_PACKED_REFS_BYTES = 256 * 1024 * 1024;

/**
 * A file changed so recently may change again without a visible sign: clocks of file systems tick every few
 * milliseconds, and a freed inode number comes back. Until it is older it is read again each time.
 */
const SETTLED_AFTER_MS = 100;

/** Beside its text. */
const BYTES_PER_REF = 4;

interface Snapshot {
  readonly refs: PackedRefs;
  /** What the file looked like; `undefined` for one that was not there. */
  readonly seen: fs.Stats | undefined;
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
   * What the file holds now: of many refs, whoever may wait calls {@link readAhead} first.
   *
   * @throws {GitError} REF_INVALID when it does not parse, LIMIT_EXCEEDED when it is too large to hold
   */
  read(): PackedRefs {
    return this.#unchanged() ?? inOneGo(this.#load());
  }

  /**
   * Read the file in turns: unless it changes again, {@link read} has it at hand afterwards. What is wrong with it, that
   * says, too.
   */
  async readAhead(): Promise<void> {
    if (this.#unchanged() !== undefined) return;
    try {
      await inTurns(this.#load());
    } catch (error) {
      if (!isGitError(error)) throw error; // what the file holds is read again where it is asked for, and refused there
    }
  }

  /** Memory that what was read takes. */
  get heldBytes(): number {
    const refs = this.#snapshot?.refs;
    return refs === undefined ? 0 : refs.textLength + BYTES_PER_REF * refs.count;
  }

  /** Drop what was read: the next to ask reads it again. */
  forget(): void {
    this.#snapshot = undefined;
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

  /** What was read before, when the file shows no sign of a change since. */
  #unchanged(): PackedRefs | undefined {
    const known = this.#snapshot;
    if (known?.isSettled !== true) return undefined;
    return isSame(known.seen, fs.statSync(this.path, { throwIfNoEntry: false })) ? known.refs : undefined;
  }

  *#load(): Steps<PackedRefs> {
    const readAtMs = Date.now();
    const file = this.#open();
    // Nothing stale can be kept of a missing file: the next stat finds the new one.
    if (file === undefined) return this.#keep(emptyPackedRefs(this.#format), undefined, true);
    const { bytes, stat } = file;
    const text = decodeText(bytes);
    const known = this.#snapshot?.refs;
    // Those who made something of them need not make it anew.
    const refs = known?.isOf(text) === true ? known : yield* readPackedRefs(text, this.#format);
    return this.#keep(refs, stat, Math.abs(readAtMs - stat.ctimeMs) > SETTLED_AFTER_MS);
  }

  #keep(refs: PackedRefs, seen: fs.Stats | undefined, isSettled: boolean): PackedRefs {
    this.#snapshot = { refs, seen, isSettled };
    return refs;
  }

  #open(): { readonly bytes: Uint8Array; readonly stat: fs.Stats } | undefined {
    let descriptor: number;
    try {
      descriptor = fs.openSync(this.path, 'r');
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
    try {
      const stat = fs.fstatSync(descriptor);
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

function isSame(a: fs.Stats | undefined, b: fs.Stats | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.ctimeMs === b.ctimeMs &&
    a.mtimeMs === b.mtimeMs &&
    a.ino === b.ino &&
    a.size === b.size &&
    a.dev === b.dev
  );
}
