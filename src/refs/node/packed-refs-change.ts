/**
 * Taking refs out of packed-refs and putting new ones in, as one step. The lock is kept until the loose files of
 * deleted refs are gone too: a `git pack-refs` in between would bring them back.
 *
 * @module
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { shareFile } from '../../core/node/shared-permissions.ts';
import { withBreaths } from '../../core/steps.ts';
import { editPackedRefs, type PackedRefsEdit } from '../packed-refs-edit.ts';
import type { FilesRefStore } from './files-ref-store.ts';
import { LockFile, type StagingOptions } from './lock-file.ts';

const syncFile = promisify(fs.fsync);
const writeFile = promisify(fs.write) as (
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
) => Promise<{ bytesWritten: number }>;

export interface PackedRefsChangeOptions {
  readonly signal: AbortSignal | undefined;
  /** Lets others go on, where it is time. */
  readonly breathe: () => Promise<void>;
}

export class PackedRefsChange {
  readonly #path: string;
  readonly #lock: LockFile;
  readonly #endTurn: () => void;
  #newPath: string | undefined;

  private constructor(path: string, lock: LockFile, endTurn: () => void) {
    this.#path = path;
    this.#lock = lock;
    this.#endTurn = endTurn;
  }

  /**
   * Lock packed-refs and write its new content beside it, if there is anything to change. `edit` may name refs to
   * remove that are not packed.
   *
   * Batches of this process wait for each other as long as it takes; for the lock of another, as long as configured.
   *
   * @throws {GitError} REF_CONFLICT when the lock cannot be had, REF_INVALID, ABORTED; errors of the file system
   */
  static async prepare(
    { packed, packedRefsTimeoutMs: timeoutMs, format, fsync, shared }: FilesRefStore,
    edit: PackedRefsEdit,
    { signal, breathe }: PackedRefsChangeOptions,
  ): Promise<PackedRefsChange> {
    const endTurn = await packed.takeTurn();
    let change: PackedRefsChange | undefined;
    try {
      await packed.readAhead(); // in turns, for which nobody should have to wait who wants the lock
      const lock = await LockFile.acquire(packed.path, { timeoutMs, signal });
      change = new PackedRefsChange(packed.path, lock, endTurn);
      const refs = packed.read();
      const remove = new Set<string>();
      for (const name of edit.remove) {
        await breathe();
        if (refs.find(name) !== undefined) remove.add(name);
      }
      if (remove.size > 0 || edit.add.length > 0) {
        const editing = editPackedRefs(packed.readBytes(), format, { remove, add: edit.add });
        await change.#write(await withBreaths(editing, breathe), { fsync, shared });
      }
      return change;
    } catch (error) {
      if (change === undefined) endTurn();
      else change.release();
      throw error;
    }
  }

  /** Put the new content in place. The lock stays. */
  commit(): void {
    if (this.#newPath === undefined) return;
    fs.renameSync(this.#newPath, this.#path);
    this.#newPath = undefined;
  }

  /** Give the lock up, and drop what was not committed. Safe to call twice. */
  release(): void {
    try {
      if (this.#newPath !== undefined) fs.rmSync(this.#newPath, { force: true });
      this.#newPath = undefined;
      this.#lock.release();
    } finally {
      this.#endTurn();
    }
  }

  async #write(content: Uint8Array, { fsync, shared }: StagingOptions): Promise<void> {
    this.#newPath = `${this.#path}.new`; // git's name for it: whoever has the lock may write it
    const file = fs.openSync(this.#newPath, 'w', 0o666);
    try {
      for (let done = 0; done < content.length; ) done += (await writeFile(file, content, done)).bytesWritten;
      shareFile(file, shared);
      if (fsync) await syncFile(file);
    } finally {
      fs.closeSync(file);
    }
  }
}
