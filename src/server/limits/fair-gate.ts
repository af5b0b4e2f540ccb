/**
 * So many at a time; the others wait in a bounded queue, each party in its turn.
 *
 * @module
 */
import { abortError, GitError } from '../../core/errors.ts';

export interface GateLimits {
  /** How many may be inside. */
  readonly running: number;
  /** How many of one party may be inside. */
  readonly runningEach: number;
  /** How many may wait. */
  readonly waiting: number;
  /** Milliseconds after which one that waits is sent away. */
  readonly waitMs: number;
}

/** A place inside; given back once. */
export interface Pass {
  release(): void;
}

interface Waiter {
  readonly party: string;
  enter(): void;
}

/**
 * One who floods the gate waits behind itself: parties take turns, whoever has waited longest within each goes first.
 */
export class FairGate {
  #limits: GateLimits;
  readonly #what: string;
  #running = 0;
  #waiting = 0;
  readonly #inside = new Map<string, number>();
  /** Of each party that waits its waiters, in order. The map's order is whose turn it is. */
  readonly #queues = new Map<string, Set<Waiter>>();

  /** @param what plural, for the sentence that refuses: `clones` */
  constructor(what: string, limits: GateLimits) {
    this.#what = what;
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Replace the limits; those inside stay. */
  setLimits(limits: GateLimits): void {
    this.#limits = limits;
    this.#admit();
  }

  /**
   * @returns when there is room
   * @throws {GitError} OVERLOADED when the queue is full or the wait was too long; ABORTED
   */
  async enter(party: string, signal?: AbortSignal): Promise<Pass> {
    if (signal?.aborted) throw abortError(signal);
    if (this.#hasRoomFor(party) && !this.#queues.has(party)) return this.#pass(party);
    if (this.#waiting >= this.#limits.waiting) throw this.#overloaded('too many wait already');
    return await this.#wait(party, signal);
  }

  #wait(party: string, signal: AbortSignal | undefined): Promise<Pass> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        party,
        enter: () => {
          leave();
          resolve(this.#pass(party));
        },
      };
      const giveUp = (error: GitError): void => {
        leave();
        reject(error);
      };
      const onAbort = (): void => giveUp(abortError(signal as AbortSignal));
      const { waitMs } = this.#limits;
      const timer = setTimeout(() => giveUp(this.#overloaded(`no turn within ${waitMs / 1000} s`)), waitMs);
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#forget(waiter);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const queue = this.#queues.get(party) ?? new Set();
      this.#queues.set(party, queue.add(waiter));
      this.#waiting++;
    });
  }

  #forget(waiter: Waiter): void {
    const queue = this.#queues.get(waiter.party);
    if (queue?.delete(waiter) !== true) return;
    this.#waiting--;
    if (queue.size === 0) this.#queues.delete(waiter.party);
  }

  #pass(party: string): Pass {
    this.#running++;
    this.#inside.set(party, (this.#inside.get(party) ?? 0) + 1);
    let released = false;
    return {
      release: () => {
        if (released) return;
        released = true;
        this.#leave(party);
      },
    };
  }

  #leave(party: string): void {
    this.#running--;
    const left = (this.#inside.get(party) as number) - 1;
    if (left === 0) this.#inside.delete(party);
    else this.#inside.set(party, left);
    this.#admit();
  }

  #admit(): void {
    for (;;) {
      const party = this.#nextParty();
      if (party === undefined) return;
      const queue = this.#queues.get(party) as Set<Waiter>;
      const [waiter] = queue;
      // Its next one waits until all others had their turn.
      this.#queues.delete(party);
      this.#queues.set(party, queue);
      (waiter as Waiter).enter();
    }
  }

  #nextParty(): string | undefined {
    if (this.#running >= this.#limits.running) return undefined;
    for (const party of this.#queues.keys()) if (this.#hasRoomFor(party)) return party;
    return undefined;
  }

  #hasRoomFor(party: string): boolean {
    const { running, runningEach } = this.#limits;
    return this.#running < running && (this.#inside.get(party) ?? 0) < runningEach;
  }

  #overloaded(why: string): GitError {
    const { running, waitMs } = this.#limits;
    return new GitError(
      'OVERLOADED',
      `The server is busy: it serves ${running} ${this.#what} at a time, and ${why}; try again later`,
      { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) },
    );
  }
}
