/**
 * Tasks in worker threads.
 *
 * Threads start when work is near and end with it; an idle one does not keep the process alive. Their
 * heaps are small: what they work on is shared memory and a few buffers of their own.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { GitError } from '../../core/errors.ts';
import { nodeRuntime } from '../../core/node/runtime.ts';
import type { TaskPool, Tasks } from '../task-pool.ts';
import type { TaskReply, TaskRequest } from './delta-worker.ts';
import { startWorker } from './start-worker.ts';

export interface ThreadTaskPoolOptions {
  /** Default: one per processor, at most 8. */
  readonly threads?: number | undefined;
}

const MOST_THREADS = 8;
/** The young generation dominates a small thread's memory; V8's default is 48 MiB. */
const YOUNG_GENERATION_MIB = 2;
/**
 * A thread that was started for work that does not come ends after so long. One that has worked ends at once, and before
 * its result is told: it holds some 30 MB, which are not to add to what is needed next.
 */
const IDLE_MS = 1000;

interface Waiting extends TaskRequest {
  readonly resolve: (output: Tasks[keyof Tasks]['output']) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  running: Waiting | undefined;
  ending: NodeJS.Timeout | undefined;
}

export function createThreadTaskPool({
  threads = Math.min(MOST_THREADS, availableParallelism()),
}: ThreadTaskPoolOptions = {}): TaskPool {
  return new ThreadTaskPool(Math.max(1, threads));
}

class ThreadTaskPool implements TaskPool {
  readonly threads: number;
  readonly runtimeName = nodeRuntime.name;
  readonly #running: Thread[] = [];
  readonly #queue: Waiting[] = [];
  #closed = false;

  constructor(threads: number) {
    this.threads = threads;
  }

  warmUp(): void {
    while (!this.#closed && this.#running.length < this.threads) this.#running.push(this.#start());
  }

  run<Name extends keyof Tasks>(name: Name, input: Tasks[Name]['input']): Promise<Tasks[Name]['output']> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closedError());
        return;
      }
      this.#queue.push({ name, input, resolve, reject });
      this.#startOne();
      this.#dispatch();
    });
  }

  /** A thread for one more task, unless one is idle or all are there. */
  #startOne(): void {
    const isOneIdle = this.#running.some(({ running }) => running === undefined);
    if (!isOneIdle && this.#running.length < this.threads) this.#running.push(this.#start());
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0)) waiting.reject(closedError());
    const ended = this.#running.map(({ worker }) => worker.terminate());
    await Promise.all(ended);
  }

  #dispatch(): void {
    for (const thread of this.#running) {
      if (thread.running !== undefined) continue;
      const next = this.#queue.shift();
      if (next === undefined) return;
      thread.running = next;
      clearTimeout(thread.ending);
      thread.worker.ref();
      thread.worker.postMessage({ name: next.name, input: next.input } satisfies TaskRequest);
    }
  }

  #start(): Thread {
    const worker = startWorker(import.meta.url, 'delta-worker', {
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    const thread: Thread = { worker, running: undefined, ending: undefined };
    this.#endWhenIdle(thread);
    worker.unref();
    worker.on('message', (reply: TaskReply) => {
      const done = thread.running;
      thread.running = undefined;
      if (done === undefined) return;
      if (this.#queue.length > 0) {
        worker.unref();
        this.#endWhenIdle(thread);
        settle(done, reply);
        this.#dispatch();
        return;
      }
      this.#remove(thread);
      void worker.terminate().then(() => settle(done, reply));
    });
    worker.on('error', (error) => this.#drop(thread, error));
    worker.on('exit', () => this.#drop(thread, closedError()));
    return thread;
  }

  #endWhenIdle(thread: Thread): void {
    thread.ending = setTimeout(() => {
      this.#remove(thread);
      void thread.worker.terminate();
    }, IDLE_MS).unref();
  }

  #remove(thread: Thread): void {
    clearTimeout(thread.ending);
    const at = this.#running.indexOf(thread);
    if (at >= 0) this.#running.splice(at, 1);
  }

  /** A thread is gone: its task fails; others are started as tasks come. */
  #drop(thread: Thread, error: unknown): void {
    this.#remove(thread);
    const lost = thread.running;
    thread.running = undefined;
    lost?.reject(error);
    if (this.#queue.length > 0 && !this.#closed) {
      this.#startOne();
      this.#dispatch();
    }
  }
}

function settle(done: Waiting, reply: TaskReply): void {
  if (reply.kind === 'done') done.resolve(reply.output);
  else if (reply.kind === 'refused') {
    const { code, message, detail } = reply.error;
    done.reject(new GitError(code, message, detail));
  } else done.reject(reply.error);
}

function closedError(): GitError {
  return new GitError('ABORTED', 'Stopped: the threads were closed');
}
