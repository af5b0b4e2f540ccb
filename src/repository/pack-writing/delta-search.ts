/**
 * Finding bases for the objects that have no stored delta to send.
 *
 * Each object is tried against the ones before it in a window of likes, as git's own rules of thumb have it:
 * larger objects before smaller ones, deltas at most half as large as the object, and the deeper the base lies
 * the smaller the delta has to be.
 *
 * @module
 */
import type { ProgressListener } from '../../core/byte-stream.ts';
import type { Limits } from '../../core/limits.ts';
import type { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { createDelta } from '../../pack/delta-create.ts';
import type { ObjectSelection } from '../object-selection.ts';
import { BASE_ONLY, type DeltaCandidates } from './candidate-table.ts';
import { DeltaCache } from './delta-cache.ts';
import { collectCandidates, type SearchedObjects } from './delta-candidates.ts';
import { DeltaWindow, type WindowEntry } from './delta-window.ts';
import { type MadeDeltas, UNTRIED } from './made-deltas.ts';
import { objectMissing } from './pack-errors.ts';
import { ENCODE, FIRST_PREFERRED, type PackPlan } from './pack-plan.ts';

/** git's defaults for pack.window and pack.depth. The window counts the object under search. */
const WINDOW_ENTRIES = 11;
const MOST_DEPTH = 50;
/** Content and indexes of the window. */
const WINDOW_BYTES = 48 * 1024 * 1024;
/** Larger objects are not searched: they are streamed. */
const MOST_SEARCHED_BYTES = 16 * 1024 * 1024;
/** What a delta of a base elsewhere costs before its first instruction, as git reckons: the base's id. */
const REFERENCE_BYTES = 20;
/** A target this many times smaller than the base is not worth a look (git). */
const MOST_SHRINKAGE = 32;

export interface FoundDeltas {
  readonly searched: SearchedObjects;
  /** Deltas that were kept, by number among the searched objects. */
  readonly cache: DeltaCache;
  /** Takes in what is deflated while the pack is written. */
  readonly madeDeltas?: MadeDeltas | undefined;
}

/** Objects up to this size are held in memory as a whole, to be searched and encoded. */
export function mostHeldBytes(limits: Limits): number {
  return Math.min(MOST_SEARCHED_BYTES, limits.maxDeltaObjectBytes);
}

/**
 * Fill in the plan's bases of the objects to be encoded. A stored whole object that does better as a delta is to be
 * encoded from now on.
 *
 * @throws {GitError} OBJECT_MISSING, OBJECT_CORRUPT, PACK_CORRUPT, ABORTED
 */
export async function searchDeltas(
  reader: ObjectReader,
  selection: ObjectSelection,
  plan: PackPlan,
  options: {
    readonly thin: boolean;
    readonly mostBytes: number;
    readonly madeDeltas?: MadeDeltas | undefined;
    readonly onProgress?: ProgressListener | undefined;
  },
  pace: Pace,
): Promise<FoundDeltas> {
  const { searched, candidates } = await collectCandidates(reader, selection, plan, options, pace);
  const search = new DeltaSearch(reader, selection, plan, searched, candidates, options.madeDeltas);
  const total = search.targetCount;
  const title = 'Compressing objects';
  let done = 0;
  for (let i = 0; i < candidates.count; i++) {
    if (!search.begin(candidates.order[i] as number)) continue;
    do {
      if (pace.isDue()) {
        await pace.rest();
        options.onProgress?.({ title, done, total, finished: false });
      }
    } while (search.tryNext());
    search.finish();
    done++;
  }
  if (total > 0) options.onProgress?.({ title, done, total, finished: true });
  options.madeDeltas?.settle();
  return { searched, cache: search.cache };
}

/** In what ids the object is named that {@link DeltaCandidates.sources} and {@link PackPlan.bases} mean. */
function idsOfSource(selection: ObjectSelection, source: number): Uint8Array {
  return source <= FIRST_PREFERRED ? selection.preferredBases : selection.ids;
}

/** And where among them. */
function idAtOfSource({ format }: ObjectSelection, plan: PackPlan, source: number): number {
  const number = source <= FIRST_PREFERRED ? FIRST_PREFERRED - source : (plan.order[source] as number);
  return number * format.idBytes;
}

function readSource(
  reader: ObjectReader,
  selection: ObjectSelection,
  plan: PackPlan,
  source: number,
): Uint8Array {
  const ids = idsOfSource(selection, source);
  const at = idAtOfSource(selection, plan, source);
  const object = reader.readRaw(ids, at);
  if (object === undefined) throw objectMissing(selection.format, ids, at);
  return object.data;
}

class DeltaSearch {
  readonly cache: DeltaCache;
  /** How many of the candidates want a base; the others only serve as one. */
  readonly targetCount: number;
  readonly #reader: ObjectReader;
  readonly #selection: ObjectSelection;
  readonly #plan: PackPlan;
  readonly #searched: SearchedObjects;
  readonly #candidates: DeltaCandidates;
  readonly #made: MadeDeltas | undefined;
  readonly #window = new DeltaWindow(WINDOW_ENTRIES, WINDOW_BYTES);
  #target!: WindowEntry;
  /** The target is stored whole: only what the receiver has is worth trying. */
  #preferredOnly = false;
  /** Index in the window of the base to be tried next. */
  #nextBase = 0;
  #bestBase: WindowEntry | undefined;
  #bestBytes = 0;
  /** The best delta is in `#best`: it was not only heard of. */
  #isBestAtHand = false;
  /** The best delta so far and the one being tried. */
  #best = new Uint8Array(0);
  #trial = new Uint8Array(0);

  constructor(
    reader: ObjectReader,
    selection: ObjectSelection,
    plan: PackPlan,
    searched: SearchedObjects,
    candidates: DeltaCandidates,
    made: MadeDeltas | undefined,
  ) {
    this.#made = made;
    this.#reader = reader;
    this.#selection = selection;
    this.#plan = plan;
    this.#searched = searched;
    this.#candidates = candidates;
    this.cache = new DeltaCache(searched.count);
    let targetCount = 0;
    for (let i = 0; i < candidates.count; i++) if (candidates.targets[i] !== BASE_ONLY) targetCount++;
    this.targetCount = targetCount;
  }

  /** Bring the candidate into the window. @returns whether it is a target: then its bases are to be tried */
  begin(candidate: number): boolean {
    this.#target = this.#window.push(candidate);
    this.#window.shrink();
    const target = this.#candidates.targets[candidate] as number;
    if (target === BASE_ONLY) return false;
    // Between whole objects of one pack a delta was searched when the pack was made.
    const position = this.#searched.positions[target] as number;
    this.#preferredOnly = this.#plan.actions[position] !== ENCODE;
    this.#nextBase = this.#window.entries.length - 2;
    this.#bestBase = undefined;
    this.#bestBytes = 0;
    return true;
  }

  /** Try the next base of the window, the newest first. @returns whether another is left */
  tryNext(): boolean {
    const { kinds, sources } = this.#candidates;
    const base = this.#window.entries[this.#nextBase];
    if (base === undefined || kinds[base.candidate] !== kinds[this.#target.candidate]) return false;
    if (!this.#preferredOnly || (sources[base.candidate] as number) <= FIRST_PREFERRED) {
      const bytes = this.#try(this.#target, base, this.#bestBase, this.#bestBytes);
      if (bytes > 0) {
        this.#bestBase = base;
        this.#bestBytes = bytes;
      }
    }
    this.#nextBase -= 1 + this.#window.shrink();
    return true;
  }

  /** Take the best base that was found. */
  finish(): void {
    const target = this.#target;
    const base = this.#bestBase;
    if (base === undefined) return;
    const window = this.#window;
    const number = this.#candidates.targets[target.candidate] as number;
    const position = this.#searched.positions[number] as number;
    this.#plan.actions[position] = ENCODE;
    this.#plan.bases[position] = this.#candidates.sources[base.candidate] as number;
    this.#keepBest(number, target, base);
    target.depth = base.depth + 1;
    window.keepLonger(base);
    if (target.depth === MOST_DEPTH) window.removeNewest();
  }

  /** What was only heard of and is kept nowhere is made again when it is written. */
  #keepBest(number: number, target: WindowEntry, base: WindowEntry): void {
    const { sources } = this.#candidates;
    const targetSource = sources[target.candidate] as number;
    const baseSource = sources[base.candidate] as number;
    const deflated = this.#made?.deflatedOf(
      idsOfSource(this.#selection, targetSource),
      idAtOfSource(this.#selection, this.#plan, targetSource),
      idsOfSource(this.#selection, baseSource),
      idAtOfSource(this.#selection, this.#plan, baseSource),
    );
    if (deflated !== undefined) this.cache.keepDeflated(number, deflated, this.#bestBytes);
    else if (this.#isBestAtHand) this.cache.keep(number, this.#best.subarray(0, this.#bestBytes));
  }

  /** @returns bytes of the delta, left in `#best` if it is at hand, when it beats what was found before; otherwise 0 */
  #try(target: WindowEntry, base: WindowEntry, bestBase: WindowEntry | undefined, bestBytes: number): number {
    const { sizes } = this.#candidates;
    const targetBytes = sizes[target.candidate] as number;
    const baseBytes = sizes[base.candidate] as number;
    const most = bestBase === undefined ? targetBytes / 2 - REFERENCE_BYTES : bestBytes;
    const bestDepth = bestBase === undefined ? 1 : bestBase.depth + 1;
    const room = Math.floor((most * (MOST_DEPTH - base.depth)) / (MOST_DEPTH - bestDepth + 1));
    if (room <= 0 || targetBytes - baseBytes >= room) return 0;
    if (targetBytes < baseBytes / MOST_SHRINKAGE) return 0;

    const known = this.#outcomeOf(target, base);
    if (known > room || (known < 0 && room < -known)) return 0;
    const bytes = known > 0 ? known : this.#make(target, base, room);
    if (bytes <= 0) return 0;
    if (bestBase !== undefined && bytes >= bestBytes && base.depth + 1 >= bestDepth) return 0;
    this.#isBestAtHand = known <= 0;
    if (this.#isBestAtHand) [this.#best, this.#trial] = [this.#trial, this.#best];
    return bytes;
  }

  #outcomeOf(target: WindowEntry, base: WindowEntry): number {
    if (this.#made === undefined) return UNTRIED;
    const selection = this.#selection;
    const { sources } = this.#candidates;
    const targetSource = sources[target.candidate] as number;
    const baseSource = sources[base.candidate] as number;
    return this.#made.outcomeOf(
      idsOfSource(selection, targetSource),
      idAtOfSource(selection, this.#plan, targetSource),
      idsOfSource(selection, baseSource),
      idAtOfSource(selection, this.#plan, baseSource),
    );
  }

  /** @returns bytes of the delta, left in `#trial`; 0 or less when it takes more than `room` */
  #make(target: WindowEntry, base: WindowEntry, room: number): number {
    const targetContent = this.#contentOf(target);
    const index = this.#window.indexOf(base, this.#contentOf(base));
    if (this.#trial.length < room) this.#trial = new Uint8Array(2 * room);
    const bytes = createDelta(index, targetContent, this.#trial.subarray(0, room));
    const selection = this.#selection;
    const { sources } = this.#candidates;
    const targetSource = sources[target.candidate] as number;
    const baseSource = sources[base.candidate] as number;
    this.#made?.note(
      idsOfSource(selection, targetSource),
      idAtOfSource(selection, this.#plan, targetSource),
      idsOfSource(selection, baseSource),
      idAtOfSource(selection, this.#plan, baseSource),
      bytes > 0 ? bytes : -(room + 1),
    );
    return bytes;
  }

  #contentOf(entry: WindowEntry): Uint8Array {
    if (entry.content === undefined) {
      const source = this.#candidates.sources[entry.candidate] as number;
      this.#window.hold(entry, readSource(this.#reader, this.#selection, this.#plan, source));
    }
    return entry.content as Uint8Array;
  }
}
