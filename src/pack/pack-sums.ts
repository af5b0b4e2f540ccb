/**
 * What the objects of an arriving pack come to in bytes. Each sum is compared with its limit as it grows, long before
 * anything of that size is made.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import { USUAL_BATCHED_BYTES } from '../core/object-hasher.ts';

/** A share of the bytes from which on larger batches pay. */
const LARGE_SHARE = 0.1;

/** Told of every entry. Members throw LIMIT_EXCEEDED with `detail.limit` and `detail.value`. */
export class PackSums {
  /** Bytes of all objects to be made by deltas. */
  resolvedBytes = 0;
  /** Bytes of the largest object, deltas resolved. */
  largestObjectBytes = 0;
  readonly #limits: Limits;
  #inflatedBytes = 0;
  /** Of {@link resolvedBytes} those of large objects. */
  #largeBytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Whether much of what deltas will make is in objects too large for a hasher's usual batch. */
  get isMuchLarge(): boolean {
    return this.#largeBytes > this.resolvedBytes * LARGE_SHARE;
  }

  /** The header of a whole object declares so many bytes. */
  addWhole(sizeBytes: number): void {
    this.#addInflated(sizeBytes);
    allow('bytes of an object', sizeBytes, this.#limits.maxObjectBytes);
    if (sizeBytes > this.largestObjectBytes) this.largestObjectBytes = sizeBytes;
  }

  /** The header of a delta declares so many bytes. */
  addDelta(sizeBytes: number): void {
    this.#addInflated(sizeBytes);
    allow('bytes of a delta', sizeBytes, this.#limits.maxDeltaObjectBytes);
  }

  /** A delta makes an object of `targetBytes` from one of `baseBytes`. */
  addMade(baseBytes: number, targetBytes: number): void {
    const { maxDeltaObjectBytes, maxObjectBytes, maxResolvedBytes } = this.#limits;
    const limit = Math.min(maxDeltaObjectBytes, maxObjectBytes);
    allow('bytes of an object made by a delta', targetBytes, limit);
    allow("bytes of a delta's base", baseBytes, limit);
    this.resolvedBytes += targetBytes;
    allow('bytes of all objects made by deltas', this.resolvedBytes, maxResolvedBytes);
    if (targetBytes > this.largestObjectBytes) this.largestObjectBytes = targetBytes;
    if (targetBytes > USUAL_BATCHED_BYTES) this.#largeBytes += targetBytes;
  }

  #addInflated(sizeBytes: number): void {
    this.#inflatedBytes += sizeBytes;
    allow('inflated bytes of all objects', this.#inflatedBytes, this.#limits.maxInflatedBytes);
  }
}

function allow(what: string, value: number, limit: number): void {
  if (value <= limit) return;
  throw new GitError(
    'LIMIT_EXCEEDED',
    `Cannot read pack: at most ${limit} ${what} are allowed, got ${value}`,
    {
      limit,
      value,
    },
  );
}
