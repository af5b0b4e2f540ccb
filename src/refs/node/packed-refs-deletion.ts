/**
 * Taking refs out of packed-refs. The lock is kept until their loose files are gone too: a `git pack-refs`
 * in between would bring them back.
 *
 * @module
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { editPackedRefs } from '../packed-refs-edit.ts';
import type { FilesRefStore } from './files-ref-store.ts';
import { LockFile } from './lock-file.ts';

const syncFile = promisify(fs.fsync);
const writeFile = promisify(fs.write) as (
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
) => Promise<{ bytesWritten: number }>;

export class PackedRefsDeletion {
  readonly #path: string;
  readonly #lock: LockFile;
  #newPath: string | undefined;

  private constructor(path: string, lock: LockFile) {
    this.#path = path;
    this.#lock = lock;
  }

  /**
   * Lock packed-refs and write its new content beside it, if any of `names` is in it.
   *
   * @throws {GitError} REF_CONFLICT when the lock cannot be had, REF_INVALID, ABORTED; errors of the file system
   */
  static async prepare(
    { packed, packedRefsTimeoutMs: timeoutMs, format, fsync }: FilesRefStore,
    names: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<PackedRefsDeletion> {
    const lock = await LockFile.acquire(packed.path, { timeoutMs, signal });
    const deletion = new PackedRefsDeletion(packed.path, lock);
    try {
      const refs = packed.read();
      const remove = new Set(names.filter((name) => refs.find(name) !== undefined));
      if (remove.size > 0) {
        await deletion.#write(editPackedRefs(packed.readBytes(), format, { remove, add: [] }), fsync);
      }
      return deletion;
    } catch (error) {
      deletion.release();
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
    if (this.#newPath !== undefined) fs.rmSync(this.#newPath, { force: true });
    this.#newPath = undefined;
    this.#lock.release();
  }

  async #write(content: Uint8Array, fsync: boolean): Promise<void> {
    this.#newPath = `${this.#path}.new`; // git's name for it: whoever has the lock may write it
    const file = fs.openSync(this.#newPath, 'w', 0o666);
    try {
      for (let done = 0; done < content.length; ) done += (await writeFile(file, content, done)).bytesWritten;
      if (fsync) await syncFile(file);
    } finally {
      fs.closeSync(file);
    }
  }
}
