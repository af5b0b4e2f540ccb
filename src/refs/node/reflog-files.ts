/**
 * Reflogs: `logs/<ref>`, one line appended a change.
 *
 * @module
 */
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeText } from '../../core/bytes.ts';
import {
  makeSharedDirectories,
  type SharedPermissions,
  shareFile,
} from '../../core/node/shared-permissions.ts';
import { writeFully } from '../../core/node/write-fully.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import type { ReflogEntry } from '../ref-database.ts';
import { beginsReflog, formatReflogEntry, type LogAllRefUpdates, parseReflog } from '../reflog-format.ts';
import { removeEmptyDirectories, removeEmptyParents } from './empty-directories.ts';
import { isSystemError } from './system-error.ts';

const { O_APPEND, O_WRONLY, O_CREAT } = fs.constants;

export class ReflogFiles {
  readonly #directory: string;
  readonly #format: ObjectFormat;
  readonly #setting: LogAllRefUpdates;
  readonly #shared: SharedPermissions | undefined;

  constructor(
    gitDirectory: string,
    format: ObjectFormat,
    setting: LogAllRefUpdates,
    shared: SharedPermissions | undefined,
  ) {
    this.#directory = join(gitDirectory, 'logs');
    this.#format = format;
    this.#setting = setting;
    this.#shared = shared;
  }

  /** Append to the log of `name`, if it has one or is to have one. One write: lines of two processes never mix. */
  append(name: string, entry: ReflogEntry): void {
    const file = this.#open(join(this.#directory, name), beginsReflog(name, this.#setting));
    if (file === undefined) return;
    try {
      shareFile(file, this.#shared);
      writeFully(file, encodeText(formatReflogEntry(entry)));
    } finally {
      fs.closeSync(file);
    }
  }

  /** Oldest first; empty when there is none. */
  read(name: string): ReflogEntry[] {
    try {
      return parseReflog(fs.readFileSync(join(this.#directory, name), 'utf8'), this.#format);
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return [];
      throw error;
    }
  }

  /** Remove the log of a ref that is going, and the directories that only it needed. */
  remove(name: string): void {
    try {
      fs.unlinkSync(join(this.#directory, name));
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM')) return; // EPERM: a directory, on some systems
      throw error;
    }
    removeEmptyParents(this.#directory, name);
  }

  #open(path: string, create: boolean): number | undefined {
    if (!create && !fs.existsSync(path)) return undefined; // of fifty thousand refs none may have a log: errors are dear
    try {
      return fs.openSync(path, O_APPEND | O_WRONLY | (create ? O_CREAT : 0), 0o666);
    } catch (error) {
      if (!create && isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
      if (isSystemError(error, 'ENOENT')) makeSharedDirectories(dirname(path), this.#shared);
      else if (!isSystemError(error, 'EISDIR') || !removeEmptyDirectories(path)) throw error;
      return fs.openSync(path, O_APPEND | O_WRONLY | O_CREAT, 0o666);
    }
  }
}
