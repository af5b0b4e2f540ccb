/**
 * Making a repository, as `git init --bare` does.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { GitError } from '../../core/errors.ts';
import { type SharedPermissions, shareDirectory, shareFile } from '../../core/node/shared-permissions.ts';
import { storageError, systemCode } from '../../core/node/storage-error.ts';
import { type ObjectFormat, SHA1 } from '../../core/object-id.ts';
import { DEFAULT_BRANCH, isValidRefName } from '../../refs/ref-name.ts';
import { parseSharedRepository, sharedRepositoryValue } from './config/shared-repository.ts';
import { isGitDirectory, kindOf } from './git-directory.ts';
import { type FilesRepository, type OpenRepositoryOptions, openRepository } from './open-repository.ts';

export interface InitRepositoryOptions extends OpenRepositoryOptions {
  /** Default SHA-1; for a repository that is there already, its own. */
  readonly format?: ObjectFormat | undefined;
  /** The branch HEAD points at, without `refs/heads/`. Default `main`. Nothing to a repository that is there already. */
  readonly initialBranch?: string | undefined;
  /**
   * A value of `core.sharedRepository`, such as `group`: who else may use the files, whatever the umask says. Refuses
   * pushes that are no fast-forward, too, as `git init --shared` does. Nothing to a repository that is there already.
   */
  readonly shared?: string | undefined;
}

/** A repository to be made. */
interface NewRepository {
  readonly format: ObjectFormat;
  readonly head: string;
  readonly shared: SharedPermissions | undefined;
}

/** Each behind the one it is in. */
const DIRECTORIES = [
  '',
  'objects',
  'objects/info',
  'objects/pack',
  'refs',
  'refs/heads',
  'refs/tags',
  'info',
];
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
  const { format, initialBranch = DEFAULT_BRANCH, shared } = options;
  const head = `refs/heads/${initialBranch}`;
  if (!isValidRefName(head) || initialBranch.startsWith('-')) {
    throw new GitError('INVALID_ARGUMENT', `Cannot make repository: invalid branch name '${initialBranch}'`);
  }
  const directory = resolve(path);
  try {
    await make(directory, {
      format: format ?? SHA1,
      head,
      shared: shared === undefined ? undefined : parseSharedRepository(shared),
    });
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

async function make(directory: string, repository: NewRepository): Promise<void> {
  if ((await isGitDirectory(directory)) || (await isGitDirectory(join(directory, '.git')))) return;
  if ((await kindOf(directory)) === 'directory') {
    await fill(directory, repository);
    return;
  }
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  // A name that begins with a dot is never served.
  const whole = join(parent, `.${basename(directory)}.init-${randomBytes(6).toString('hex')}`);
  await mkdir(whole);
  try {
    await fill(whole, repository);
    await rename(whole, directory);
  } catch (error) {
    if (!(await isGitDirectory(directory))) throw error; // else: another was first
  } finally {
    await rm(whole, { recursive: true, force: true });
  }
}

/** Put in what is not there yet. */
async function fill(directory: string, { format, head, shared }: NewRepository): Promise<void> {
  for (const name of DIRECTORIES) {
    const path = join(directory, name);
    await mkdir(path, { recursive: true });
    shareDirectory(path, shared);
  }
  await writeIfAbsent(join(directory, 'description'), DESCRIPTION, shared);
  await writeIfAbsent(join(directory, 'config'), configOf(format, shared), shared);
  await writeIfAbsent(join(directory, 'HEAD'), `ref: ${head}\n`, shared);
}

function configOf(format: ObjectFormat, shared: SharedPermissions | undefined): string {
  const isDefault = format.name === SHA1.name;
  const fileMode = process.platform !== 'win32';
  const core = `[core]\n\trepositoryformatversion = ${isDefault ? 0 : 1}\n\tfilemode = ${fileMode}\n\tbare = true\n`;
  const sharing =
    shared === undefined
      ? ''
      : `\tsharedrepository = ${sharedRepositoryValue(shared)}\n[receive]\n\tdenyNonFastforwards = true\n`;
  const extensions = isDefault ? '' : `[extensions]\n\tobjectformat = ${format.name}\n`;
  return core + sharing + extensions;
}

/** The file appears whole, or the one that is there stays. */
async function writeIfAbsent(
  path: string,
  text: string,
  shared: SharedPermissions | undefined,
): Promise<void> {
  const whole = `${path}.init-${randomBytes(6).toString('hex')}`;
  try {
    await writeNew(whole, text, shared);
    await link(whole, path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return;
    if (!['EPERM', 'ENOSYS', 'ENOTSUP'].includes(systemCode(error))) throw error;
    await rename(whole, path); // a file system without links
  } finally {
    await rm(whole, { force: true });
  }
}

async function writeNew(path: string, text: string, shared: SharedPermissions | undefined): Promise<void> {
  await using file = await open(path, 'wx', 0o666);
  await file.writeFile(text);
  shareFile(file.fd, shared);
  await file.sync();
}

function asInitError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (['EEXIST', 'ENOTDIR', 'ENOTEMPTY'].includes(code)) {
    const message = 'Cannot make repository: something else is in the way';
    return new GitError('REPOSITORY_INVALID', message, { path, code }, error);
  }
  return storageError(error, 'make repository', path);
}
