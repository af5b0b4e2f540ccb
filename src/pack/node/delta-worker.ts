/**
 * The worker thread behind createThreadTaskPool(): takes one task after another from its parent.
 *
 * @module
 */
import { closeSync, openSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { GitError, isGitError } from '../../core/errors.ts';
import { nodeRuntime } from '../../core/node/runtime.ts';
import { objectFormatByName } from '../../core/object-id.ts';
import { DeltaResolver } from '../delta-resolver.ts';
import { ObjectChecker } from '../fsck/object-checker.ts';
import { ObjectEdges } from '../object-edges.ts';
import { createSpool } from '../self-containment.ts';
import type { ResolvePackJob, SeenObjects, Tasks } from '../task-pool.ts';
import { openScratchFile } from './file-scratch.ts';
import { readFully } from './positioned-read.ts';

/** What goes to a worker: one at a time. */
export interface TaskRequest {
  readonly name: keyof Tasks;
  readonly input: Tasks[keyof Tasks]['input'];
}

/** What comes back. A GitError does not survive cloning as what it is, so its members travel. */
export type TaskReply =
  | { readonly kind: 'done'; readonly output: Tasks[keyof Tasks]['output'] }
  | { readonly kind: 'refused'; readonly error: Pick<GitError, 'code' | 'message' | 'detail'> }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Checks the stop counter at each delta, so a turn can be long. */
const TURN_BYTES = 1 << 30;

const perform: { readonly [Name in keyof Tasks]: (input: Tasks[Name]['input']) => Tasks[Name]['output'] } = {
  'resolve-deltas': resolvePackDeltas,
};

let hasWorked = false;

parentPort?.on('message', ({ name, input }: TaskRequest) => {
  // The stack and batches of the task before are garbage that nothing else would have collected.
  if (hasWorked) nodeRuntime.collectGarbage?.();
  hasWorked = true;
  parentPort?.postMessage(reply(name, input));
});

function reply(name: keyof Tasks, input: Tasks[keyof Tasks]['input']): TaskReply {
  try {
    return { kind: 'done', output: perform[name](input) };
  } catch (error) {
    if (!isGitError(error)) return { kind: 'failed', error };
    return { kind: 'refused', error: { code: error.code, message: error.message, detail: error.detail } };
  }
}

function resolvePackDeltas({ job, path, edgesName, fsck }: ResolvePackJob): SeenObjects {
  const fd = openPack(path);
  const format = objectFormatByName(job.formatName);
  const spool =
    edgesName === undefined
      ? undefined
      : createSpool(format, edgesName, (name) => openScratchFile(path, name));
  const edges = spool === undefined ? undefined : new ObjectEdges(format, spool);
  const checker = fsck === undefined ? undefined : new ObjectChecker(format, fsck);
  try {
    const readInto = (position: number, target: Uint8Array, offset: number, length: number) =>
      readFully(fd, path, position, target, offset, length);
    const resolver = new DeltaResolver(job, nodeRuntime, { readInto }, edges, checker);
    try {
      while (!resolver.resolveSome(TURN_BYTES));
    } finally {
      resolver.close();
    }
  } finally {
    closeSync(fd);
    spool?.close();
  }
  return { edges: spool?.finish(), findings: checker?.findings.finish() };
}

function openPack(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw new GitError('STORAGE_FAILED', 'Cannot read pack back: it does not open', { path }, cause);
  }
}
