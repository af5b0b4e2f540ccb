/**
 * Repositories that stay open between requests: the least recently used are closed when there are too many.
 *
 * @module
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from '../repository.ts';
import { orAbsent } from './git-directory.ts';
import { type FilesRepository, type OpenRepositoryOptions, openRepository } from './open-repository.ts';

interface WarmRepository {
  readonly identity: string;
  readonly opened: Promise<FilesRepository>;
  /** Requests that work with it now. */
  leases: number;
  /** Nobody gets it any more; the last lease closes it. */
  isRetired: boolean;
}

export class WarmRepositories {
  readonly #options: OpenRepositoryOptions;
  readonly #maxOpen: number;
  /** By git directory, the least recently used first. */
  readonly #warm = new Map<string, WarmRepository>();

  constructor(maxOpen: number, options: OpenRepositoryOptions) {
    this.#maxOpen = maxOpen;
    this.#options = options;
  }

  /**
   * The repository in `gitDirectory`, open. Disposing what is returned gives it back.
   *
   * A directory that was deleted and made anew, or whose config has changed, is opened again.
   *
   * @throws {GitError} as {@link openRepository}
   */
  async lease(gitDirectory: string): Promise<Repository> {
    const identity = await identityOf(gitDirectory);
    let warm = this.#warm.get(gitDirectory);
    if (warm !== undefined && warm.identity !== identity) {
      await this.#retire(gitDirectory, warm);
      warm = this.#warm.get(gitDirectory); // another may have opened it meanwhile
    }
    warm ??= { identity, opened: openRepository(gitDirectory, this.#options), leases: 0, isRetired: false };
    this.#warm.delete(gitDirectory);
    this.#warm.set(gitDirectory, warm);
    warm.leases++;
    try {
      const repository = await warm.opened;
      await this.#closeUnused();
      return lent(
        repository,
        once(() => this.#giveBack(warm)),
      );
    } catch (error) {
      warm.leases--;
      if (this.#warm.get(gitDirectory) === warm) this.#warm.delete(gitDirectory);
      throw error;
    }
  }

  /** Close what nobody uses now; what is in use is closed when it is given back. */
  async close(): Promise<void> {
    for (const [gitDirectory, warm] of [...this.#warm]) await this.#retire(gitDirectory, warm);
  }

  async #closeUnused(): Promise<void> {
    for (const [gitDirectory, warm] of this.#warm) {
      if (this.#warm.size <= this.#maxOpen) return;
      if (warm.leases === 0) await this.#retire(gitDirectory, warm);
    }
  }

  async #retire(gitDirectory: string, warm: WarmRepository): Promise<void> {
    if (this.#warm.get(gitDirectory) === warm) this.#warm.delete(gitDirectory);
    if (warm.isRetired) return;
    warm.isRetired = true;
    if (warm.leases === 0) await closeOpened(warm);
  }

  async #giveBack(warm: WarmRepository): Promise<void> {
    warm.leases--;
    if (warm.leases > 0) return;
    if (warm.isRetired) await closeOpened(warm);
    else await this.#closeUnused();
  }
}

async function closeOpened({ opened }: WarmRepository): Promise<void> {
  await (await opened)[Symbol.asyncDispose]();
}

function lent(repository: Repository, giveBack: () => Promise<void>): Repository {
  return { ...repository, [Symbol.asyncDispose]: giveBack };
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= act();
    return done;
  };
}

/** Inode numbers are used again at once, so the times of birth belong to it, where the file system knows them. */
async function identityOf(gitDirectory: string): Promise<string> {
  const directory = await orAbsent(stat(gitDirectory, { bigint: true }));
  const config = await orAbsent(stat(join(gitDirectory, 'config'), { bigint: true }));
  return [
    directory?.dev,
    directory?.ino,
    directory?.birthtimeNs,
    config?.ino,
    config?.mtimeNs,
    config?.size,
  ].join(':');
}
