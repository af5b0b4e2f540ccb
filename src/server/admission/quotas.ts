/**
 * How large repositories, and all of one owner, may grow: counted while packs arrive, so that pushes that run at once are
 * within it together.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';
import type { Repository } from '../../repository/repository.ts';
import type { QuotaSettings } from './settings.ts';
import { StoredBytes } from './stored-bytes.ts';

/** Milliseconds that measuring may take: a disk that hangs refuses. */
const MEASURE_TIMEOUT_MS = 30_000;
/** Repositories and owners whose measure is remembered while nobody pushes to them. */
const MOST_REMEMBERED = 10_000;

/** One push's own part of the count. */
export interface PushRoom {
  /**
   * @throws {GitError} LIMIT_EXCEEDED when there is no room for so many bytes more, and ever after: what it took is given
   * back then
   */
  take(sizeBytes: number): void;
  /** Called once. @param kept false gives back what was taken */
  leave(kept: boolean): void;
}

/** Whose room a push takes. */
export interface PushedTo {
  readonly name: string;
  /** Without one, there is no quota of owners. */
  readonly owner: string | undefined;
  readonly repository: Repository;
}

/** How what is stored is measured, in bytes; what pushes that run have written so far does not count. */
export interface Measures {
  repository(pushedTo: PushedTo, options: Cancellable): Promise<number>;
  /** Of all repositories of the owner of this one. */
  owner(pushedTo: PushedTo & { readonly owner: string }, options: Cancellable): Promise<number>;
}

type Measure = (options: Cancellable) => Promise<number>;

export class Quotas {
  #settings: QuotaSettings;
  readonly #measures: Measures;
  readonly #now: () => number;
  /** By `repository` or `owner`, and path or name; those used last come last. */
  readonly #stored = new Map<string, StoredBytes>();

  constructor(settings: QuotaSettings, measures: Measures, now: () => number) {
    this.#settings = settings;
    this.#measures = measures;
    this.#now = now;
  }

  /** Holds for pushes that run as well. */
  setSettings(settings: QuotaSettings): void {
    this.#settings = settings;
  }

  /**
   * Begin to count a push. Nothing is refused yet: one that only deletes refs takes no room.
   *
   * @throws {GitError} OVERLOADED when what is stored cannot be measured in time; what measuring throws
   */
  async begin(pushedTo: PushedTo): Promise<PushRoom> {
    const room = new CountedRoom();
    try {
      for (const wanted of this.#countsOf(pushedTo)) {
        const stored = this.#storedAt(wanted.key);
        room.add({ ...wanted, stored });
        await this.#refresh(stored, wanted.measure);
      }
    } catch (error) {
      room.leave(false);
      throw error;
    }
    this.#forget();
    return room;
  }

  #countsOf(pushedTo: PushedTo): Omit<Count, 'stored'>[] {
    const { name, owner, repository } = pushedTo;
    const counts: Omit<Count, 'stored'>[] = [];
    if (this.#settings.repositoryBytes > 0) {
      counts.push({
        key: `repository ${repository.path ?? name}`,
        what: 'This repository',
        limit: () => this.#settings.repositoryBytes,
        measure: (options) => this.#measures.repository(pushedTo, options),
      });
    }
    if (this.#settings.ownerBytes > 0 && owner !== undefined) {
      counts.push({
        key: `owner ${owner}`,
        what: `All repositories of '${owner}' together`,
        limit: () => this.#settings.ownerBytes,
        measure: (options) => this.#measures.owner({ ...pushedTo, owner }, options),
      });
    }
    return counts;
  }

  #storedAt(key: string): StoredBytes {
    const stored = this.#stored.get(key) ?? new StoredBytes();
    this.#stored.delete(key);
    this.#stored.set(key, stored);
    return stored;
  }

  async #refresh(stored: StoredBytes, measure: Measure): Promise<void> {
    const now = this.#now();
    if (stored.isFresh(now, this.#settings.measureEveryMs)) return;
    await stored.refresh(() => inTime(measure), now);
  }

  #forget(): void {
    if (this.#stored.size <= MOST_REMEMBERED) return;
    for (const [key, { users }] of this.#stored) {
      if (users > 0) continue;
      this.#stored.delete(key);
      if (this.#stored.size <= MOST_REMEMBERED) return;
    }
  }
}

interface Count {
  readonly key: string;
  /** Begins the sentence that refuses. */
  readonly what: string;
  readonly stored: StoredBytes;
  /** In bytes; asked each time, since it may be changed. 0 sets none. */
  limit(): number;
  readonly measure: Measure;
}

class CountedRoom implements PushRoom {
  readonly #counts: Count[] = [];
  #takenBytes = 0;
  #refusal: GitError | undefined;

  add(count: Count): void {
    count.stored.users++;
    this.#counts.push(count);
  }

  take(sizeBytes: number): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    for (const count of this.#counts) {
      this.#refusal = refusalOf(count, sizeBytes);
      if (this.#refusal === undefined) continue;
      this.#settle(false); // at once: of two that do not fit together, one does
      throw this.#refusal;
    }
    for (const { stored } of this.#counts) stored.arrive(sizeBytes);
    this.#takenBytes += sizeBytes;
  }

  leave(kept: boolean): void {
    this.#settle(kept);
    for (const { stored } of this.#counts) stored.users--;
    this.#counts.length = 0;
  }

  #settle(kept: boolean): void {
    for (const { stored } of this.#counts) stored.settle(this.#takenBytes, kept);
    this.#takenBytes = 0;
  }
}

function refusalOf({ what, stored, limit }: Count, sizeBytes: number): GitError | undefined {
  const limitBytes = limit();
  if (limitBytes === 0 || stored.bytes + sizeBytes <= limitBytes) return undefined;
  return new GitError(
    'LIMIT_EXCEEDED',
    `${what} may take ${describeBytes(limitBytes)}, and this push does not fit: ${describeBytes(stored.bytes)} are taken`,
    { limitBytes, takenBytes: stored.bytes },
  );
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** In powers of 1000, as disks are sold and quotas written: `1.5 GB`. */
function describeBytes(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  for (; amount >= 1000 && unit + 1 < UNITS.length; unit++) amount /= 1000;
  return `${unit === 0 ? amount : Number(amount.toPrecision(3))} ${UNITS[unit]}`;
}

async function inTime(measure: Measure): Promise<number> {
  const late = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new GitError(
        'OVERLOADED',
        'The server cannot tell how much room is left; try again later',
        {
          retryAfterSeconds: 60,
        },
      );
      reject(error);
      late.abort(error);
    }, MEASURE_TIMEOUT_MS);
  });
  try {
    return await Promise.race([measure({ signal: late.signal }), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
