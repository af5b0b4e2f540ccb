/**
 * A repository in memory: for tests and for applications that keep nothing.
 *
 * @module
 */
import { type ObjectFormat, SHA1 } from '../core/object-id.ts';
import type { Runtime } from '../core/runtime.ts';
import { createMemoryObjectDatabase } from '../odb/memory-object-database.ts';
import { createMemoryRefDatabase } from '../refs/memory-ref-database.ts';
import type { Repository } from './repository.ts';

export interface MemoryRepositoryOptions {
  readonly runtime: Runtime;
  /** Default SHA-1. */
  readonly format?: ObjectFormat | undefined;
  /** The branch HEAD points at, without `refs/heads/`. Default `main`. */
  readonly defaultBranch?: string | undefined;
  /** For messages and logs. Default `memory`. */
  readonly label?: string | undefined;
}

/**
 * An empty repository. Disposing it does nothing, so that a server may do so after each request: what it holds
 * lasts as long as somebody holds it.
 *
 * @throws {GitError} REF_INVALID when `defaultBranch` is no valid branch name
 */
export function createMemoryRepository(options: MemoryRepositoryOptions): Repository {
  const { runtime, format = SHA1, defaultBranch, label = 'memory' } = options;
  return {
    format,
    objects: createMemoryObjectDatabase({ format, runtime }),
    refs: createMemoryRefDatabase({ format, defaultBranch }),
    runtime,
    label,
    shallowCommits: async () => new Set(),
    [Symbol.asyncDispose]: async () => {},
  };
}
