/**
 * A repository that leaves nothing behind.
 *
 * @module
 */
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { type ObjectFormat, SHA1 } from '../../src/core/object-id.ts';
import { createMemoryObjectDatabase } from '../../src/odb/memory-object-database.ts';
import { createMemoryRefDatabase } from '../../src/refs/memory-ref-database.ts';
import type { Repository } from '../../src/repository/repository.ts';

/** An empty one; `HEAD` points at `main`, which is not yet there. */
export function memoryRepository(format: ObjectFormat = SHA1): Repository {
  return {
    format,
    objects: createMemoryObjectDatabase({ format, runtime: nodeRuntime }),
    refs: createMemoryRefDatabase({ format }),
    runtime: nodeRuntime,
    label: 'memory',
    shallowCommits: async () => new Set(),
    [Symbol.asyncDispose]: async () => {},
  };
}
