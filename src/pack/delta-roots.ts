/**
 * Which tree of deltas a resolver begins next.
 *
 * Each whole object that is a base is the root of one. Resolvers in several threads share the roots of a pack: the heavy
 * ones are taken one by one, then the families that are settled while the pack arrives, then all others, in runs of
 * entries (`resolve-control.ts`).
 *
 * @module
 */
import { OFS_DELTA } from '../core/object-kind.ts';
import { NONE, type ObjectColumns, regrownColumns } from './object-table.ts';
import {
  familiesEnd,
  isStopped,
  lastNews,
  mayOfferMore,
  takeFamilies,
  takeHeavyRoot,
  takeRun,
  waitForNews,
} from './resolve-control.ts';
import type { ResolveJob } from './resolve-job.ts';

/** Entries looked through for roots at a time. */
const RUN = 128;
/** How long a thread is kept when there are no families to resolve, before others may have it. */
const FAMILIES_WAIT_MS = 100;

/** The roots that one resolver takes. */
export class DeltaRoots {
  readonly #job: ResolveJob;
  readonly #pack: { refresh(): void };
  #columns: ObjectColumns;
  /** The run of entries that was taken last, and whether it is of the families. */
  #candidate = 0;
  #runEnd = 0;
  #isOfFamilies = false;
  /** The heavy roots, once all of them are taken. */
  #heavy: ReadonlySet<number> | undefined;

  /** @param pack is told when the pack's file has grown */
  constructor(job: ResolveJob, pack: { refresh(): void }) {
    this.#job = job;
    this.#pack = pack;
    this.#columns = job.columns;
  }

  /** The table of the pack. While that arrives, as far as the roots need it that were taken. */
  get columns(): ObjectColumns {
    return this.#columns;
  }

  /** Take a root. While the pack arrives, waits for some. @returns {@link NONE} when there are none */
  take(): number {
    const { control, heavyRoots } = this.#job;
    if (this.#heavy === undefined && heavyRoots.length > 0) {
      const next = takeHeavyRoot(control);
      if (next < heavyRoots.length) return heavyRoots[next] as number;
      this.#heavy = new Set(heavyRoots);
    }
    do {
      const { firstChild, types } = this.#columns;
      while (this.#candidate < this.#runEnd) {
        const entry = this.#candidate++;
        if (firstChild[entry] === NONE || (types[entry] as number) >= OFS_DELTA) continue;
        if (this.#isOfFamilies || !(this.#heavy?.has(entry) === true || this.isInFamilies(entry)))
          return entry;
      }
    } while (this.#takeFamilies() || this.#takeRun());
    return NONE;
  }

  /** Whether `entry` is of the families that are on offer, or were. */
  isInFamilies(entry: number): boolean {
    const { familiesStart, control } = this.#job;
    return familiesStart !== undefined && entry >= familiesStart && entry < familiesEnd(control);
  }

  /** Take the next run of families. While the pack arrives, waits for some. @returns false when there are none */
  #takeFamilies(): boolean {
    const { control, familiesStart, phase } = this.#job;
    if (familiesStart === undefined) return false;
    for (;;) {
      const news = lastNews(control);
      const end = familiesEnd(control);
      const from = takeFamilies(control, end, RUN);
      if (from !== NONE) {
        this.#beginRun(from, Math.min(end, from + RUN), true);
        return true;
      }
      const mayCome = phase === 'early' && mayOfferMore(control) && !isStopped(control);
      if (!mayCome || !waitForNews(control, news, FAMILIES_WAIT_MS)) return false;
    }
  }

  /** Take the next run of all entries. */
  #takeRun(): boolean {
    const { control, objectCount, phase } = this.#job;
    if (phase === 'early') return false;
    const from = takeRun(control) * RUN;
    if (from >= objectCount) return false;
    this.#beginRun(from, Math.min(objectCount, from + RUN), false);
    return true;
  }

  #beginRun(from: number, to: number, isOfFamilies: boolean): void {
    this.#candidate = from;
    this.#runEnd = to;
    this.#isOfFamilies = isOfFamilies;
    if (this.#job.phase !== 'early') return;
    // Both may have grown since: the table, and the file.
    if (to > this.#columns.types.length) this.#columns = regrownColumns(this.#columns);
    this.#pack.refresh();
  }
}
