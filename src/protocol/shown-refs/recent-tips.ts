/**
 * What refs held a moment ago: a client that was shown a tip may still come for it after a forced push or a deletion.
 *
 * @module
 */
import type { ObjectId } from '../../core/object-id.ts';

/** Milliseconds between being shown refs and asking for them that every client has. */
export const REMEMBERED_MS = 60_000;
/** Those that went first are forgotten first. */
const MAX_REMEMBERED = 10_000;
const BYTES_PER_TIP = 150;

export class RecentTips {
  readonly #now: () => number;
  /** Until when, in this order. */
  readonly #until = new Map<ObjectId, number>();

  /** @param now milliseconds, by a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get bytes(): number {
    return this.#until.size * BYTES_PER_TIP;
  }

  /** The ref that held it does not any more. */
  add(id: ObjectId): void {
    const now = this.#now();
    this.#until.delete(id);
    this.#until.set(id, now + REMEMBERED_MS);
    for (const [oldest, until] of this.#until) {
      if (until > now && this.#until.size <= MAX_REMEMBERED) break;
      this.#until.delete(oldest);
    }
  }

  has(id: ObjectId): boolean {
    return (this.#until.get(id) ?? 0) > this.#now();
  }
}
