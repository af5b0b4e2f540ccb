/**
 * The seam to threads: work that may be given away, by name, over plain data and shared memory.
 * Without a pool everything runs inline, in turns with whatever else the process does.
 * Implementation: `pack/node` (worker threads).
 *
 * @module
 */
import type { SpooledEdges } from './edge-spool.ts';
import type { EntryFindings } from './fsck/entry-findings.ts';
import type { FsckRules } from './fsck/rules.ts';
import type { ResolveJob } from './resolve-job.ts';

/** What each task takes and gives. Inputs are cloned; SharedArrayBuffers in them are shared. */
export interface Tasks {
  /**
   * Resolve deltas of the pack at `path` until none is left to take, or the job is stopped. Gives what was
   * learned of the objects that were made, as far as the job asks for it.
   */
  readonly 'resolve-deltas': { readonly input: ResolvePackJob; readonly output: SeenObjects };
}

export interface ResolvePackJob {
  readonly job: ResolveJob;
  readonly path: string;
  /** Record edges; what does not fit in memory goes into the scratch file of this name beside the pack. */
  readonly edgesName?: string | undefined;
  /** Check what is made. */
  readonly fsck?: FsckRules | undefined;
}

export interface SeenObjects {
  readonly edges: SpooledEdges | undefined;
  readonly findings: EntryFindings | undefined;
}

export interface TaskPool {
  /** Tasks that run at the same time. */
  readonly threads: number;
  /** The runtime its threads use: work is only given to a pool whose runtime is the caller's. */
  readonly runtimeName: string;
  /** Start the threads now, because work is on its way. */
  warmUp(): void;
  /**
   * Run a task in a thread, when one is free.
   *
   * @throws {GitError} the one that was thrown there, code, message and detail
   */
  run<Name extends keyof Tasks>(name: Name, input: Tasks[Name]['input']): Promise<Tasks[Name]['output']>;
  /** End the threads. What runs is rejected with ABORTED. */
  close(): Promise<void>;
}
