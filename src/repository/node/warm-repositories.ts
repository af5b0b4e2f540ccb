/**
 * Repositories that stay open between requests: the least recently used are closed when there are too many, and each
 * when nobody has used it for a while.
 *
 * @module
 */
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { type MemoryBudget, warmMemory } from '../../core/memory-budget.ts';
import { nodeRuntime } from '../../core/node/runtime.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Repository } from '../repository.ts';
import { isSameFile, lookAt } from './file-identity.ts';
import { type FilesRepository, type OpenRepositoryOptions, openRepository } from './open-repository.ts';

export interface WarmRepositoriesOptions {
  /** Repositories kept open while nobody uses them. Default 64. */
  readonly maxOpen?: number | undefined;
  /** Milliseconds after which a repository that nobody uses is closed, and its memory freed. Default five minutes. */
  readonly keepOpenMs?: number | undefined;
  /** Milliseconds after the last one was closed when free memory is given back to the system. Default ten seconds. */
  readonly quietMs?: number | undefined;
  /** What is kept warm in memory, swept of what is idle as well. Default: that of the process. */
  readonly memory?: MemoryBudget | undefined;
}

const DEFAULT_MAX_OPEN = 64;
const DEFAULT_KEEP_OPEN_MS = 300_000;
/** Longer than V8 looks back to say whether much is being allocated. */
const DEFAULT_QUIET_MS = 10_000;
/** How often idle ones are looked for, as a part of the time they are kept. */
const SWEEPS = 4;

interface WarmRepository {
  readonly identity: Identity;
  readonly opened: Promise<FilesRepository>;
  /** Once it is open. */
  repository: FilesRepository | undefined;
  /** Requests that work with it now. */
  leases: number;
  /** On the clock of `performance.now()`, when it was given back last. */
  usedAtMs: number;
  /** Nobody gets it any more; the last lease closes it. */
  isRetired: boolean;
}

export class WarmRepositories {
  readonly #options: OpenRepositoryOptions;
  readonly #maxOpen: number;
  readonly #keepOpenMs: number;
  readonly #quietMs: number;
  readonly #memory: MemoryBudget;
  readonly #runtime: Runtime;
  /** Until memory is given back, once none is open. */
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #sweeper: ReturnType<typeof setInterval> | undefined;
  /** By git directory, the least recently used first. */
  readonly #warm = new Map<string, WarmRepository>();

  constructor(options: OpenRepositoryOptions & WarmRepositoriesOptions) {
    this.#options = options;
    this.#maxOpen = options.maxOpen ?? DEFAULT_MAX_OPEN;
    this.#keepOpenMs = options.keepOpenMs ?? DEFAULT_KEEP_OPEN_MS;
    this.#quietMs = options.quietMs ?? DEFAULT_QUIET_MS;
    this.#memory = options.memory ?? warmMemory;
    this.#runtime = options.runtime ?? nodeRuntime;
  }

  /**
   * The repository in `gitDirectory`, open. Disposing what is returned gives it back.
   *
   * A directory that was deleted and made anew, or whose configuration has changed, is opened again.
   *
   * @throws {GitError} as {@link openRepository}
   */
  async lease(gitDirectory: string): Promise<Repository> {
    const identity = identityOf(gitDirectory);
    let warm = this.#warm.get(gitDirectory);
    if (warm !== undefined && !isCurrent(warm, identity)) {
      await this.#retire(gitDirectory, warm);
      warm = this.#warm.get(gitDirectory); // another may have opened it meanwhile
    }
    warm ??= {
      identity,
      opened: openRepository(gitDirectory, this.#options),
      repository: undefined,
      leases: 0,
      usedAtMs: 0,
      isRetired: false,
    };
    this.#startSweeping();
    this.#warm.delete(gitDirectory);
    this.#warm.set(gitDirectory, warm);
    warm.leases++;
    try {
      const repository = await warm.opened;
      warm.repository = repository;
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
    clearInterval(this.#sweeper);
    clearTimeout(this.#quiet);
    this.#sweeper = undefined;
    for (const [gitDirectory, warm] of [...this.#warm]) await this.#retire(gitDirectory, warm);
  }

  #startSweeping(): void {
    clearTimeout(this.#quiet);
    if (this.#sweeper !== undefined) return;
    this.#sweeper = setInterval(() => void this.#sweep(), this.#keepOpenMs / SWEEPS);
    this.#sweeper.unref();
  }

  async #sweep(): Promise<void> {
    const before = performance.now() - this.#keepOpenMs;
    for (const [gitDirectory, warm] of [...this.#warm]) {
      if (warm.leases === 0 && warm.usedAtMs <= before) await this.#retire(gitDirectory, warm);
    }
    this.#memory.evictIdle(this.#keepOpenMs);
    if (this.#warm.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
    // V8 collects when the heap grows, which it does not while nobody works: a hundred megabytes would stay.
    this.#runtime.collectGarbage?.();
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#runtime.releaseMemory?.(), this.#quietMs).unref();
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
    warm.usedAtMs = performance.now();
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
interface Identity {
  readonly directory: Stats | undefined;
  readonly config: Stats | undefined;
}

/** Looked at without leaving the thread: ten times cheaper than a promise, and each request begins with it. */
function identityOf(gitDirectory: string): Identity {
  return { directory: lookAt(gitDirectory), config: lookAt(join(gitDirectory, 'config')) };
}

function isCurrent({ identity, repository }: WarmRepository, now: Identity): boolean {
  return isSame(identity, now) && repository?.isConfigCurrent() !== false;
}

function isSame(a: Identity, b: Identity): boolean {
  return (
    a.directory?.dev === b.directory?.dev &&
    a.directory?.ino === b.directory?.ino &&
    a.directory?.birthtimeMs === b.directory?.birthtimeMs &&
    isSameFile(a.config, b.config)
  );
}
