/**
 * Rates: so many a second on average, so many at once.
 *
 * @module
 */

export interface Rate {
  /** On average, in the long run; fractions are fine. 0 sets no limit. */
  readonly perSecond: number;
  /** How many may come at once after a quiet time; at least 1. */
  readonly burst: number;
}

/** What sums of fractions of milliseconds are off by, at most. */
const ROUNDING_MS = 1e-6;

/** One bucket a key, full at first. Keys whose bucket is full again are forgotten, the oldest first. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #maxKeys: number;
  /** Of each key the moment, in milliseconds, at which its bucket was or will be full. Latest used last. */
  readonly #fullAt = new Map<string, number>();

  /** @param maxKeys above it the longest unused key is forgotten, full or not: memory stays bounded */
  constructor(rate: Rate, maxKeys = 100_000) {
    this.#rate = rate;
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  /**
   * Take one token of `key`.
   *
   * @param now milliseconds of a clock that never goes back
   * @returns 0 when there was one, else the milliseconds until there is
   */
  take(key: string, now: number): number {
    const wait = this.wait(key, now);
    if (wait > 0 || this.#rate.perSecond === 0) return wait;
    const fullAt = this.#fullAfterOne(key, now);
    this.#fullAt.delete(key);
    this.#fullAt.set(key, fullAt);
    this.#forget(now);
    return 0;
  }

  /** As {@link take}, and takes nothing. */
  wait(key: string, now: number): number {
    const { perSecond, burst } = this.#rate;
    if (perSecond === 0) return 0;
    const wait = this.#fullAfterOne(key, now) - now - (burst * 1000) / perSecond;
    return wait > ROUNDING_MS ? Math.ceil(wait) : 0;
  }

  #fullAfterOne(key: string, now: number): number {
    return Math.max(this.#fullAt.get(key) ?? now, now) + 1000 / this.#rate.perSecond;
  }

  /** A few at a time: whoever takes pays for what others left. */
  #forget(now: number): void {
    let looked = 0;
    for (const [key, fullAt] of this.#fullAt) {
      if (fullAt > now && this.#fullAt.size <= this.#maxKeys) return;
      this.#fullAt.delete(key);
      if (++looked === 4) return;
    }
  }
}
