/**
 * A directory of repositories, found by the paths of URLs.
 *
 * @module
 */
import { lstat, mkdir, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { isGitError } from '../../core/errors.ts';
import { createThreadTaskPool } from '../../pack/node/thread-task-pool.ts';
import type { TaskPool } from '../../pack/task-pool.ts';
import type { Repository } from '../repository.ts';
import { findGitDirectory, isGitDirectory, kindOf, orAbsent } from './git-directory.ts';
import { type InitRepositoryOptions, initRepository } from './init-repository.ts';
import { KnownPaths, nameOfDirectory } from './known-paths.ts';
import { bareName, nameOfPath, parseRepositoryName, spellings } from './repository-name.ts';
import { WarmRepositories, type WarmRepositoriesOptions } from './warm-repositories.ts';

export interface RepositoryDirectoryOptions extends InitRepositoryOptions, WarmRepositoriesOptions {
  /** Make a bare repository when a name that does not exist is asked for to write. Default false. */
  readonly create?: boolean | undefined;
  /** Told of each repository that was made, by the path of its directory. */
  readonly onCreate?: ((path: string) => void) | undefined;
}

/** Itself a resolver for a server: `directory(name, { intent })`. */
export interface RepositoryDirectory extends AsyncDisposable {
  (name: string, context: { readonly intent: 'read' | 'write' }): Promise<Repository | undefined>;
  /**
   * The repository that `name` stands for: `team/app` and `team/app.git` both find `<root>/team/app.git`,
   * `<root>/team/app`, or a work tree's `.git` there. Never one outside the root, symbolic links included.
   *
   * It is the caller's until disposed; disposing gives it back, and it stays open for others.
   *
   * @returns `undefined` when there is none, or the name cannot be one
   * @throws {GitError} REPOSITORY_INVALID, UNSUPPORTED for one that cannot be opened; STORAGE_FAILED
   */
  resolve(name: string, intent: 'read' | 'write'): Promise<Repository | undefined>;
  /**
   * The one name of the repository that `name` stands for, for rules and counts: the path of its directory under the root,
   * with `/`, without `/.git` and without one `.git`. `app`, `app.git`, symbolic links and, where the disk does not tell them
   * apart, `App` all have the same.
   *
   * Where there is none it is the name that one would have if it were made now. `app` and `app.git`, where both are
   * there, are two repositories with one name.
   *
   * @returns `undefined` for what cannot be a name
   * @throws {GitError} STORAGE_FAILED
   */
  nameOf(name: string): Promise<string | undefined>;
}

/**
 * `root` is looked at only when a name is resolved; with `create` it is made then.
 *
 * Without `tasks`, a pool of threads of its own resolves the deltas of large pushes; none is started before the first.
 */
export function createRepositoryDirectory(
  root: string,
  options: RepositoryDirectoryOptions = {},
): RepositoryDirectory {
  const directory = new FilesRepositoryDirectory(resolve(root), options);
  const find = (name: string, intent: 'read' | 'write') => directory.resolve(name, intent);
  return Object.assign(
    (name: string, { intent }: { readonly intent: 'read' | 'write' }) => find(name, intent),
    {
      resolve: find,
      nameOf: (name: string) => directory.nameOf(name),
      [Symbol.asyncDispose]: () => directory.close(),
    },
  );
}

class FilesRepositoryDirectory {
  readonly #root: string;
  readonly #options: RepositoryDirectoryOptions;
  readonly #warm: WarmRepositories;
  readonly #known: KnownPaths;
  readonly #ownTasks: TaskPool | undefined;

  constructor(root: string, options: RepositoryDirectoryOptions) {
    this.#root = root;
    this.#ownTasks = options.tasks === undefined ? createThreadTaskPool() : undefined;
    this.#options = { ...options, tasks: options.tasks ?? this.#ownTasks };
    this.#warm = new WarmRepositories(this.#options);
    this.#known = new KnownPaths(root);
  }

  async resolve(name: string, intent: 'read' | 'write'): Promise<Repository | undefined> {
    if (parseRepositoryName(name) === undefined) return undefined;
    const known = await this.#leaseKnown(name);
    if (known !== undefined) return known;
    const existing = await this.#find(name);
    if (existing !== undefined) {
      this.#known.remember(name, existing);
      return this.#warm.lease(existing);
    }
    if (intent === 'read' || this.#options.create !== true) return undefined;
    const made = await this.#make(name);
    return made === undefined ? undefined : this.#warm.lease(made);
  }

  async nameOf(name: string): Promise<string | undefined> {
    if (parseRepositoryName(name) === undefined) return undefined;
    const known = this.#known.find(name);
    if (known !== undefined) return known.name;
    const root = await orAbsent(realpath(this.#root));
    if (root === undefined) return nameOfPath(bareName(name));
    const existing = await this.#findIn(root, name, evenBrokenAt);
    if (existing === undefined) return this.#nameToMake(root, name);
    this.#known.remember(name, existing);
    return nameOfDirectory(root, existing);
  }

  async close(): Promise<void> {
    await this.#warm.close();
    await this.#ownTasks?.close();
  }

  async #leaseKnown(name: string): Promise<Repository | undefined> {
    const known = this.#known.find(name);
    if (known === undefined) return undefined;
    try {
      return await this.#warm.lease(known.gitDirectory);
    } catch (error) {
      if (!isGitError(error, 'REPOSITORY_INVALID', 'REPOSITORY_NOT_FOUND')) throw error;
      this.#known.forget(name); // something else is there now
      return undefined;
    }
  }

  /** The git directory of an existing repository. */
  async #find(name: string): Promise<string | undefined> {
    const root = await orAbsent(realpath(this.#root));
    return root === undefined ? undefined : this.#findIn(root, name, gitDirectoryAt);
  }

  async #findIn(
    root: string,
    name: string,
    lookAt: (path: string) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    for (const spelling of spellings(name)) {
      const path = await this.#inside(root, join(root, spelling));
      if (path === undefined) continue;
      const found = await lookAt(path);
      const directory = found && (await this.#inside(root, found));
      if (directory !== undefined) return directory;
    }
    return undefined;
  }

  /** `path` with symbolic links followed, if it exists and is still under `root`. */
  async #inside(root: string, path: string): Promise<string | undefined> {
    const real = await orAbsent(realpath(path));
    return real?.startsWith(root.endsWith(sep) ? root : root + sep) === true ? real : undefined;
  }

  /** The name of what {@link #make} would make: in the directory that is really there, where a link leads to one. */
  async #nameToMake(root: string, name: string): Promise<string | undefined> {
    const path = join(root, bareName(name));
    for (let above = dirname(path); ; above = dirname(above)) {
      const real = above === root ? root : await orAbsent(realpath(above));
      if (real === undefined) continue; // looked for in what is above it, the root at the latest
      const isInside = real === root || (await this.#inside(root, real)) !== undefined;
      return isInside ? nameOfDirectory(root, join(real, relative(above, path))) : nameOfPath(bareName(name));
    }
  }

  /** @returns the git directory of a new repository, or `undefined` where none can be made */
  async #make(name: string): Promise<string | undefined> {
    await mkdir(this.#root, { recursive: true });
    const root = await realpath(this.#root);
    const path = join(root, bareName(name));
    if (!(await this.#hasRoomFor(root, path))) return this.#find(name); // made by another in between, or in the way
    try {
      const repository = await initRepository(path, this.#options);
      await repository[Symbol.asyncDispose]();
    } catch (error) {
      // A file where the name needs a directory, or a part too long for the disk: such a repository cannot be.
      if (isGitError(error, 'REPOSITORY_INVALID')) return undefined;
      throw error;
    }
    this.#options.onCreate?.(path);
    return path;
  }

  /** Nothing is there, and what is above it is directories of this root that are no repositories. */
  async #hasRoomFor(root: string, path: string): Promise<boolean> {
    if ((await orAbsent(lstat(path))) !== undefined) return false;
    for (let above = dirname(path); above !== root; above = dirname(above)) {
      if ((await orAbsent(lstat(above))) === undefined) continue;
      const real = await this.#inside(root, above);
      if (real === undefined || (await isGitDirectory(real)) || (await isGitDirectory(join(real, '.git'))))
        return false;
    }
    return true;
  }
}

/** As {@link gitDirectoryAt}; a repository that cannot be opened is still the one that is there. */
async function evenBrokenAt(path: string): Promise<string | undefined> {
  try {
    return await gitDirectoryAt(path);
  } catch (error) {
    if (isGitError(error, 'REPOSITORY_INVALID', 'UNSUPPORTED')) return path;
    throw error;
  }
}

/** As {@link findGitDirectory}, but a directory of other things is no broken repository: it is none. */
async function gitDirectoryAt(path: string): Promise<string | undefined> {
  try {
    return await findGitDirectory(path);
  } catch (error) {
    if (isGitError(error, 'REPOSITORY_NOT_FOUND')) return undefined;
    if (!isGitError(error, 'REPOSITORY_INVALID') || (await kindOf(join(path, 'objects'))) === 'directory')
      throw error;
    return undefined;
  }
}
