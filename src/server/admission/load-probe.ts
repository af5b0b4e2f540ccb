/**
 * What this process and its disk say of their load.
 *
 * @module
 */
import { statfs } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Readings } from './shed-policy.ts';

/** Looks at the load; asked about once a second. */
export interface LoadProbe {
  /** Never waits. */
  read(): Readings;
  close(): void;
}

/** Milliseconds between two looks at the clock: what is no longer than this is not seen. */
const RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;
/** A disk that says nothing for so long is taken for a broken one. */
const DISK_TIMEOUT_MS = 5_000;

/** @param directory where repositories are stored; without it nobody looks at disks */
export function createLoadProbe(directory?: string | undefined): LoadProbe {
  const delay = new DelayProbe();
  const disk = directory === undefined ? undefined : new DiskProbe(directory);
  return {
    read: () => ({
      eventLoopDelayMs: delay.read(),
      memoryBytes: process.memoryUsage.rss(),
      freeDiskBytes: disk?.read() ?? 'unknown',
    }),
    close: () => delay.close(),
  };
}

/**
 * How long an event that comes at any moment waits: long intervals between looks at the clock are met more often. Of one
 * that is on time half is its own.
 *
 * @param sumMs of the intervals
 * @param squares the sum of their squares
 */
export function expectedDelayMs(sumMs: number, squares: number): number {
  return Math.max(0, squares / (2 * sumMs) - RESOLUTION_MS / 2);
}

/** Goes by differences: after a reset of the histogram its first interval would be lost, the longest if all are long. */
class DelayProbe {
  readonly #intervals = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #before = { count: 0, sum: 0, squares: 0 };

  constructor() {
    this.#intervals.enable();
  }

  read(): number {
    const { count } = this.#intervals;
    if (count === this.#before.count) return 0;
    const meanMs = this.#intervals.mean / NS_PER_MS;
    const deviationMs = this.#intervals.stddev / NS_PER_MS;
    const now = { count, sum: count * meanMs, squares: count * (meanMs ** 2 + deviationMs ** 2) };
    const delayMs = expectedDelayMs(now.sum - this.#before.sum, now.squares - this.#before.squares);
    this.#before = now;
    return delayMs;
  }

  close(): void {
    this.#intervals.disable();
  }
}

/** Asks without waiting: each reading is the answer to an earlier question. */
class DiskProbe {
  readonly #directory: string;
  #latest: Readings['freeDiskBytes'] = 'unknown';
  #askedAt: number | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    void this.#ask();
  }

  read(): Readings['freeDiskBytes'] {
    if (this.#askedAt === undefined) void this.#ask();
    else if (performance.now() - this.#askedAt > DISK_TIMEOUT_MS) this.#latest = 'unreadable';
    return this.#latest;
  }

  async #ask(): Promise<void> {
    this.#askedAt = performance.now();
    try {
      const { bavail, bsize } = await statfs(this.#directory);
      this.#latest = bavail * bsize;
    } catch {
      this.#latest = 'unreadable';
    }
    this.#askedAt = undefined;
  }
}
