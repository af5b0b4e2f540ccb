/**
 * Resolving deltas in threads: whether there are any for a pack, when they pay, and what they bring back.
 *
 * @module
 */
import type { PackCheck } from './fsck/pack-check.ts';
import { stopResolving } from './resolve-control.ts';
import type { ResolveJob } from './resolve-job.ts';
import type { ResolveOptions } from './resolve-options.ts';
import type { PackEdges } from './self-containment.ts';

/** From this many deltas on, threads pay for their start (15 to 40 ms each). */
export const THREADS_FROM_DELTAS = 3000;
/** From so many bytes to be made on, they do so too, and one large object does not keep everybody else waiting. */
export const THREADS_FROM_BYTES = 32 * 1024 * 1024;

/** Threads that can read one pack. */
export interface ResolverThreads {
  /** How many work at the same time. */
  readonly count: number;
  /**
   * Let one of them resolve until nothing of `job` is left to take, or it is stopped. What it saw of the objects it made
   * is added to the pack's edges and to its check.
   *
   * @throws {GitError} what it threw there; everybody else at work on the job is stopped then
   */
  resolve(job: ResolveJob): Promise<void>;
}

/** @returns `undefined` without threads, or when they cannot do the same: read what the sink has written, by the same runtime */
export function resolverThreads(
  { tasks, runtime, sink: { path } }: ResolveOptions,
  edges: PackEdges | undefined,
  check: PackCheck | undefined,
): ResolverThreads | undefined {
  if (tasks === undefined || path === undefined || tasks.runtimeName !== runtime.name) return undefined;
  return {
    count: tasks.threads,
    async resolve(job) {
      try {
        const input = { job, path, edgesName: edges?.nextName(), fsck: check?.rules };
        const seen = await tasks.run('resolve-deltas', input);
        if (seen.edges !== undefined) edges?.add(seen.edges);
        if (seen.findings !== undefined) check?.add(seen.findings);
      } catch (error) {
        stopResolving(job.control); // the others need not go on
        throw error;
      }
    },
  };
}
