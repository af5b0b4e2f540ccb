/**
 * So many at a time, and so many of each: the others wait in a bounded queue, each party in its turn.
 *
 * Somebody comes in only when there is a place for them everywhere at once. Whoever waits holds nothing, so that nobody
 * can wait for each other.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { abortError, GitError } from '../../core/errors.ts';

export interface GateLimits {
  /** How many may be inside. */
  readonly running: number;
  /** How many of one party may be inside. */
  readonly runningEach: number;
  /** How many may be inside one repository. Default: as many as come in. */
  readonly runningPerRepository?: number | undefined;
  /** How many from one address may be inside. Default: as many as come in. */
  readonly runningPerAddress?: number | undefined;
  /** How many may wait. */
  readonly waiting: number;
  /** Milliseconds after which one that waits is sent away. */
  readonly waitMs: number;
}

export interface Visitor {
  /** Those who take turns as one. */
  readonly party: string;
  readonly repository?: string | undefined;
  readonly address?: string | undefined;
}

/** A place inside; given back once. */
export interface Place {
  release(): void;
}

const CROWDS = ['party', 'repository', 'address'] as const;
type Crowd = (typeof CROWDS)[number];

/**
 * How many others may come in while one is first of its party before places are kept for it. Without it two parties that
 * hand a repository to each other could keep out a third that waits for that repository and for a place of its own.
 */
const PATIENCE = 32;

interface Waiter {
  readonly visitor: Visitor;
  /** Grows with each that comes. */
  readonly ticket: number;
  /** How many came in since it is the first of its party. */
  passed: number;
  enter(): void;
  sendAway(why: string): void;
}

/**
 * One who floods the gate waits behind itself: parties take turns, and within each whoever has waited longest of
 * those there is room for goes first. A full queue sends away the newest of the party that has most in it.
 *
 * Nobody waits for ever behind others, however many come, as long as those inside leave.
 */
export class FairGate {
  readonly #what: string;
  #limits: GateLimits;
  #running = 0;
  #waiting = 0;
  #tickets = 0;
  readonly #inside = newCrowds();
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

  /** Replace the limits: those inside stay, those who wait do so for as long as they were to. */
  setLimits(limits: GateLimits): void {
    this.#limits = limits;
    this.#admit();
  }

  /**
   * @returns when there is room
   * @throws {GitError} OVERLOADED when the queue is full or the wait was too long; ABORTED
   */
  async enter(visitor: Visitor, { signal }: Cancellable = {}): Promise<Place> {
    if (signal?.aborted) throw abortError(signal);
    if (this.#fullCrowd(visitor, this.#kept()) === undefined) return this.#comeIn(visitor);
    if (this.#waiting >= this.#limits.waiting && !this.#makeRoomFor(visitor)) {
      throw this.#overloaded(visitor, 'too many wait already');
    }
    return await this.#wait(visitor, signal);
  }

  #wait(visitor: Visitor, signal: AbortSignal | undefined): Promise<Place> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#forget(waiter);
      };
      const waiter: Waiter = {
        visitor,
        ticket: this.#tickets++,
        passed: 0,
        enter: () => {
          leave();
          resolve(this.#comeIn(visitor));
        },
        sendAway: (why) => {
          leave();
          reject(this.#overloaded(visitor, why));
        },
      };
      const onAbort = (): void => {
        leave();
        reject(abortError(signal as AbortSignal));
        this.#admit(); // of the places kept for it
      };
      const { waitMs } = this.#limits;
      const timer = setTimeout(() => {
        waiter.sendAway(`no turn came within ${waitMs / 1000} s`);
        this.#admit();
      }, waitMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#remember(waiter);
    });
  }

  #remember(waiter: Waiter): void {
    const { party } = waiter.visitor;
    const queue = this.#queues.get(party) ?? new Set();
    this.#queues.set(party, queue.add(waiter));
    this.#waiting++;
  }

  #forget(waiter: Waiter): void {
    const { party } = waiter.visitor;
    const queue = this.#queues.get(party);
    if (queue?.delete(waiter) !== true) return;
    this.#waiting--;
    if (queue.size === 0) this.#queues.delete(party);
  }

  /** Send away one of the party that waits most, unless that is the visitor's. */
  #makeRoomFor({ party }: Visitor): boolean {
    let longest: Set<Waiter> | undefined;
    for (const queue of this.#queues.values()) if (queue.size > (longest?.size ?? 0)) longest = queue;
    if (longest === undefined || longest.size <= (this.#queues.get(party)?.size ?? 0) + 1) return false;
    ([...longest].at(-1) as Waiter).sendAway('others waited for their first turn');
    return true;
  }

  #comeIn(visitor: Visitor): Place {
    this.#running++;
    count(this.#inside, visitor, 1);
    for (const [first] of this.#queues.values()) (first as Waiter).passed++;
    let released = false;
    return {
      release: () => {
        if (released) return;
        released = true;
        this.#running--;
        count(this.#inside, visitor, -1);
        this.#admit();
      },
    };
  }

  #admit(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { party } = next.visitor;
      const queue = this.#queues.get(party) as Set<Waiter>;
      // Its next one waits until all others had their turn.
      this.#queues.delete(party);
      this.#queues.set(party, queue);
      next.enter();
    }
  }

  #next(): Waiter | undefined {
    if (this.#waiting === 0 || this.#running >= this.#limits.running) return undefined;
    const kept = newCrowds();
    for (const waiter of this.#impatient()) {
      if (this.#fullCrowd(waiter.visitor, kept) === undefined) return waiter;
      count(kept, waiter.visitor, 1);
    }
    for (const queue of this.#queues.values()) {
      for (const waiter of queue) if (this.#fullCrowd(waiter.visitor, kept) === undefined) return waiter;
    }
    return undefined;
  }

  /** Those for whom places are kept: no others of their party, repository or address may take them. */
  #impatient(): Waiter[] {
    const found: Waiter[] = [];
    for (const [first] of this.#queues.values())
      if ((first as Waiter).passed >= PATIENCE) found.push(first as Waiter);
    return found.sort((a, b) => a.ticket - b.ticket);
  }

  #kept(): Crowds | undefined {
    if (this.#waiting === 0) return undefined;
    const kept = newCrowds();
    for (const { visitor } of this.#impatient()) count(kept, visitor, 1);
    return kept;
  }

  /** @returns where there is no room for `visitor`, `undefined` when there is everywhere */
  #fullCrowd(visitor: Visitor, kept: Crowds | undefined): Crowd | 'gate' | undefined {
    if (this.#running >= this.#limits.running) return 'gate';
    return CROWDS.find((crowd) => {
      const key = visitor[crowd];
      if (key === undefined) return false;
      return (this.#inside[crowd].get(key) ?? 0) + (kept?.[crowd].get(key) ?? 0) >= this.#ceiling(crowd);
    });
  }

  #ceiling(crowd: Crowd): number {
    const { runningEach, runningPerRepository, runningPerAddress } = this.#limits;
    if (crowd === 'party') return runningEach;
    return (crowd === 'repository' ? runningPerRepository : runningPerAddress) ?? Number.POSITIVE_INFINITY;
  }

  #overloaded(visitor: Visitor, why: string): GitError {
    const full = this.#fullCrowd(visitor, this.#kept()) ?? 'gate';
    const most = full === 'gate' ? this.#limits.running : this.#ceiling(full);
    return new GitError(
      'OVERLOADED',
      `${BUSY[full]} with ${this.#what}: at most ${most} run at a time${PLACE[full]}, and ${why}; try again later`,
      { retryAfterSeconds: Math.max(1, Math.ceil(this.#limits.waitMs / 1000)) },
    );
  }
}

const BUSY: Readonly<Record<Crowd | 'gate', string>> = {
  gate: 'The server is busy',
  party: 'The server is busy for you',
  repository: 'This repository is busy',
  address: 'The server is busy for your network address',
};

const PLACE: Readonly<Record<Crowd | 'gate', string>> = {
  gate: '',
  party: ' for each user',
  repository: ' in each repository',
  address: ' for each address',
};

/** How many there are of each party, repository and address that has any. */
type Crowds = Readonly<Record<Crowd, Map<string, number>>>;

function newCrowds(): Crowds {
  return { party: new Map(), repository: new Map(), address: new Map() };
}

function count(crowds: Crowds, visitor: Visitor, change: 1 | -1): void {
  for (const crowd of CROWDS) {
    const key = visitor[crowd];
    if (key === undefined) continue;
    const now = (crowds[crowd].get(key) ?? 0) + change;
    if (now === 0) crowds[crowd].delete(key);
    else crowds[crowd].set(key, now);
  }
}
