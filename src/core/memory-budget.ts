/**
 * One budget of bytes for everything that is kept only so that the next request is faster: ref tables, indexes of
 * packs, learned closures, plans. What was used longest ago makes room.
 *
 * Whoever keeps something warm registers it, says when it was used and when its size changed, and drops it when told
 * to. Work under way keeps its own references, so that nothing is pulled away from it.
 *
 * @module
 */

const MIB = 1024 * 1024;

/** What one process keeps warm by default. git's delta bases alone may take 96 MiB (core.deltaBaseCacheLimit). */
const DEFAULT_WARM_BYTES = 128 * MIB;

/** Something that can be made again. */
export interface Evictable {
  /** What it holds now. {@link MemoryBudget.resize} tells the budget of a change. */
  readonly bytes: number;
  /** While true it is counted and passed over: dropping it would free nothing. Absent means never. */
  readonly isInUse?: boolean | undefined;
  /** Forget everything. The budget has forgotten it already; registering it again later is allowed. Must not throw. */
  evict(): void;
}

interface Holding {
  bytes: number;
  usedAtMs: number;
}

export class MemoryBudget {
  #limitBytes: number;
  #usedBytes = 0;
  /** Used longest ago first. */
  readonly #holdings = new Map<Evictable, Holding>();
  readonly #now: () => number;

  /** @param now milliseconds that never go back; a test's own clock */
  constructor(limitBytes: number, now: () => number = () => performance.now()) {
    this.#limitBytes = limitBytes;
    this.#now = now;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** Never above the limit, unless what is in use is. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Another limit from now on. */
  setLimit(limitBytes: number): void {
    this.#limitBytes = limitBytes;
    this.#makeRoom();
  }

  /**
   * Count `item`, as used now, and make room for it. For one that is registered already, as {@link resize}.
   *
   * @returns false when it alone is larger than the limit: it was evicted, and nothing else for its sake
   */
  register(item: Evictable): boolean {
    const { bytes } = item;
    this.release(item);
    if (bytes > this.#limitBytes && item.isInUse !== true) {
      item.evict();
      return false;
    }
    this.#holdings.set(item, { bytes, usedAtMs: this.#now() });
    this.#usedBytes += bytes;
    this.#makeRoom();
    return true;
  }

  /** `item.bytes` has changed, by a use. @returns as {@link register}; true for one that is not registered */
  resize(item: Evictable): boolean {
    return this.#holdings.has(item) ? this.register(item) : true;
  }

  /** It was used: others go first. Nothing for one that is not registered. */
  touch(item: Evictable): void {
    const holding = this.#holdings.get(item);
    if (holding === undefined) return;
    holding.usedAtMs = this.#now();
    this.#holdings.delete(item);
    this.#holdings.set(item, holding);
  }

  /** Count it no more: its owner dropped it. Nothing for one that is not registered. */
  release(item: Evictable): void {
    const holding = this.#holdings.get(item);
    if (holding === undefined) return;
    this.#holdings.delete(item);
    this.#usedBytes -= holding.bytes;
  }

  /** Drop what nobody has used for `idleMs`. */
  evictIdle(idleMs: number): void {
    const before = this.#now() - idleMs;
    for (const [item, { usedAtMs }] of this.#holdings) {
      if (usedAtMs > before) return;
      this.#evict(item);
    }
  }

  #makeRoom(): void {
    if (this.#usedBytes <= this.#limitBytes) return;
    for (const item of this.#holdings.keys()) {
      this.#evict(item);
      if (this.#usedBytes <= this.#limitBytes) return;
    }
  }

  #evict(item: Evictable): void {
    if (item.isInUse === true) return;
    this.release(item);
    item.evict();
  }
}

/** The budget of this process. Its memory is one, however many servers and repositories it has. */
export const warmMemory = new MemoryBudget(DEFAULT_WARM_BYTES);
