/**
 * Rates: so many a second on average, so many at once.
 *
 * @module
 */

export interface Rate {
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
    const { perSecond, burst } = this.#rate;
    const perToken = 1000 / perSecond;
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now) + perToken;
    const wait = fullAt - now - burst * perToken;
    if (wait > ROUNDING_MS) return Math.ceil(wait);
    this.#fullAt.delete(key);
    this.#fullAt.set(key, fullAt);
    this.#forget(now);
    return 0;
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
