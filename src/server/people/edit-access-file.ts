/**
 * Changing an access file while servers read it: as one step, and one change at a time.
 *
 * @module
 */
import { type FileHandle, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GitError } from '../../core/errors.ts';
import { isAbsent, storageError, systemCode } from '../../core/node/storage-error.ts';
import { formatProblem } from '../config/problem.ts';
import { accessFileError, formatAccessFile, parseAccessFile } from './access-index.ts';
import type { AccessFileContents } from './change-people.ts';

/** How long another change is waited for, in milliseconds. */
const LOCK_WAIT_MS = 3_000;
const LOCK_PAUSE_MS = 20;

/** @returns what is written, `{}` when there is no file. @throws {GitError} INVALID_ARGUMENT, STORAGE_FAILED */
export async function readAccessContents(path: string): Promise<AccessFileContents> {
  try {
    return contentsOf(path, await readFile(path, 'utf8'));
  } catch (error) {
    if (isAbsent(error)) return {};
    throw storageError(error, `read access file '${path}'`, path);
  }
}

/**
 * Replace the file by what `change` makes of its contents: readable by its owner only, who stays the same. Whoever
 * reads it sees all of the change or nothing. Comments are lost. A file that is not there is made.
 *
 * @throws {GitError} INVALID_ARGUMENT when the file, or what it became, is not right; STORAGE_FAILED, also when
 * another change does not end. Whatever `change` throws. Nothing has changed then
 */
export async function editAccessFile<Result>(
  path: string,
  change: (contents: AccessFileContents) => Result,
): Promise<Result> {
  try {
    const target = await targetOf(path);
    const lockPath = `${target}.lock`;
    const lock = await acquire(lockPath);
    let isHeld = true;
    try {
      const contents = await readAccessContents(target);
      const result = change(contents);
      const text = formatAccessFile(contents);
      contentsOf(target, text);
      await write(lock, text, target);
      await rename(lockPath, target);
      isHeld = false;
      await syncDirectory(dirname(target));
      return result;
    } finally {
      if (isHeld) await rm(lockPath, { force: true });
      await lock.close();
    }
  } catch (error) {
    throw storageError(error, `change access file '${path}'`, path);
  }
}

function contentsOf(path: string, text: string): AccessFileContents {
  const { index, value, problems } = parseAccessFile(path, text);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (index === undefined) throw accessFileError(path, errors.map(formatProblem));
  return value as AccessFileContents; // what the schema has let pass
}

/** A symbolic link stays one. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isAbsent(error)) return path;
    throw error;
  }
}

async function acquire(lockPath: string): Promise<FileHandle> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return await open(lockPath, 'wx', 0o600);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      if (performance.now() >= deadline) {
        throw new GitError(
          'STORAGE_FAILED',
          `Cannot change access file: '${lockPath}' is there. Another change is under way; remove it if that was cut off`,
          { path: lockPath },
          error,
        );
      }
      await sleep(LOCK_PAUSE_MS);
    }
  }
}

async function write(lock: FileHandle, text: string, target: string): Promise<void> {
  await keepOwner(lock, target);
  await lock.writeFile(text);
  await lock.sync();
}

/** The server may run as another user than whoever makes a token. */
async function keepOwner(lock: FileHandle, target: string): Promise<void> {
  try {
    const { uid, gid } = await stat(target);
    const own = await lock.stat();
    if (uid !== own.uid || gid !== own.gid) await lock.chown(uid, gid);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
