/**
 * Making a repository, as `git init --bare` does.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { GitError } from '../../core/errors.ts';
import { type ObjectFormat, SHA1 } from '../../core/object-id.ts';
import { DEFAULT_BRANCH, isValidRefName } from '../../refs/ref-name.ts';
import { isGitDirectory, kindOf } from './git-directory.ts';
import { type FilesRepository, type OpenRepositoryOptions, openRepository } from './open-repository.ts';

export interface InitRepositoryOptions extends OpenRepositoryOptions {
  /** Default SHA-1; for a repository that is there already, its own. */
  readonly format?: ObjectFormat | undefined;
  /** The branch HEAD points at, without `refs/heads/`. Default `main`. Nothing to a repository that is there already. */
  readonly initialBranch?: string | undefined;
}

const DIRECTORIES = ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags', 'info'];
const DESCRIPTION = "Unnamed repository; edit this file 'description' to name the repository.\n";

/**
 * Make a bare repository at `path` and open it. One that is there already is opened as it is.
 *
 * A new directory appears whole or not at all; one that exists is filled, its HEAD last, so that it is no
 * repository until it is complete. Two that make the same one both get it.
 *
 * @throws {GitError} INVALID_ARGUMENT for a bad branch name or for another object format than the existing
 * repository has; REPOSITORY_INVALID when something else is in the way; STORAGE_FAILED
 */
export async function initRepository(
  path: string,
  options: InitRepositoryOptions = {},
): Promise<FilesRepository> {
  const { format, initialBranch = DEFAULT_BRANCH } = options;
  const head = `refs/heads/${initialBranch}`;
  if (!isValidRefName(head) || initialBranch.startsWith('-')) {
    throw new GitError('INVALID_ARGUMENT', `Cannot make repository: invalid branch name '${initialBranch}'`);
  }
  const directory = resolve(path);
  try {
    await make(directory, format ?? SHA1, head);
  } catch (error) {
    throw asInitError(error, directory);
  }
  const repository = await openRepository(directory, options);
  if (format === undefined || repository.format.name === format.name) return repository;
  await repository[Symbol.asyncDispose]();
  throw new GitError(
    'INVALID_ARGUMENT',
    `Cannot make repository: expected to be ${format.name}, the one that exists is ${repository.format.name}`,
    { path },
  );
}

async function make(directory: string, format: ObjectFormat, head: string): Promise<void> {
  if ((await isGitDirectory(directory)) || (await isGitDirectory(join(directory, '.git')))) return;
  if ((await kindOf(directory)) === 'directory') {
    await fill(directory, format, head);
    return;
  }
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  // A name that begins with a dot is never served.
  const whole = join(parent, `.${basename(directory)}.init-${randomBytes(6).toString('hex')}`);
  await mkdir(whole);
  try {
    await fill(whole, format, head);
    await rename(whole, directory);
  } catch (error) {
    if (!(await isGitDirectory(directory))) throw error; // else: another was first
  } finally {
    await rm(whole, { recursive: true, force: true });
  }
}

/** Put in what is not there yet. */
async function fill(directory: string, format: ObjectFormat, head: string): Promise<void> {
  for (const name of DIRECTORIES) await mkdir(join(directory, name), { recursive: true });
  await writeIfAbsent(join(directory, 'description'), DESCRIPTION);
  await writeIfAbsent(join(directory, 'config'), configOf(format));
  await writeIfAbsent(join(directory, 'HEAD'), `ref: ${head}\n`);
}

function configOf(format: ObjectFormat): string {
  const isDefault = format.name === SHA1.name;
  const fileMode = process.platform !== 'win32';
  const core = `[core]\n\trepositoryformatversion = ${isDefault ? 0 : 1}\n\tfilemode = ${fileMode}\n\tbare = true\n`;
  return isDefault ? core : `${core}[extensions]\n\tobjectformat = ${format.name}\n`;
}

/** The file appears whole, or the one that is there stays. */
async function writeIfAbsent(path: string, text: string): Promise<void> {
  const whole = `${path}.init-${randomBytes(6).toString('hex')}`;
  const file = await open(whole, 'wx', 0o666);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(whole, path);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    if (!hasCode(error, 'EPERM', 'ENOSYS', 'ENOTSUP')) throw error;
    await rename(whole, path); // a file system without links
  } finally {
    await rm(whole, { force: true });
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function asInitError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error;
  const code = String(error.code);
  if (['EEXIST', 'ENOTDIR', 'ENOTEMPTY'].includes(code)) {
    const message = 'Cannot make repository: something else is in the way';
    return new GitError('REPOSITORY_INVALID', message, { path, code }, error);
  }
  return new GitError('STORAGE_FAILED', `Cannot make repository: ${code}`, { path, code }, error);
}
