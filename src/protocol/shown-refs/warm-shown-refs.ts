/**
 * The shown refs of each repository that is open, kept from one request to the next.
 *
 * An object that is missing is looked for again at each request, to say what a tag points at. One that was there is taken
 * to stay: git never drops what a ref holds.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { type Evictable, type MemoryBudget, warmMemory } from '../../core/memory-budget.ts';
import type { ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { RefDatabase, RefSnapshot } from '../../refs/ref-database.ts';
import type { Repository } from '../../repository/repository.ts';
import { TagPeeler } from '../tag-peeler.ts';
import { PackedShownRefs } from './packed-shown-refs.ts';
import { RecentTips } from './recent-tips.ts';
import { ShownRefs } from './shown-refs.ts';

/** Characters of packed-refs, some 500,000 refs: more are read for each request and sent as they are read. */
const MAX_WARM_CHARACTERS = 32 * 1024 * 1024;
/** Larger than elsewhere: nothing is made for it, so only the number of writes counts. */
const CHUNK_BYTES = 256 * 1024;
/** Sets of hidden refs that are kept at once: each service has its own. */
const MAX_VIEWS = 4;

/** What is known for one set of hidden refs. */
interface View {
  readonly snapshot: RefSnapshot;
  readonly refs: Promise<ShownRefs>;
  /** Once it is there. */
  shown: ShownRefs | undefined;
  /** Of this view and those before it. */
  readonly recent: RecentTips;
}

const known = new WeakMap<RefDatabase, WarmShownRefs>();

/**
 * The refs that `prefixes` select, all without any, as of now; what else is in the answer may be older.
 *
 * @returns `undefined` when the store cannot say whether its refs have changed, or there are too many to keep
 * @throws {GitError} as {@link RefDatabase.snapshot} and ObjectDatabase.openReader
 */
export async function warmShownRefs(
  { refs, objects }: Pick<Repository, 'refs' | 'objects'>,
  hiddenRefs: readonly string[],
  prefixes: readonly string[] | undefined,
  { signal }: Cancellable,
): Promise<ShownRefs | undefined> {
  const snapshot = await refs.snapshot?.(prefixes, { signal });
  if (snapshot === undefined || snapshot.packed.textLength > MAX_WARM_CHARACTERS) return undefined;
  let warm = known.get(refs);
  if (warm === undefined) {
    warm = new WarmShownRefs(warmMemory);
    known.set(refs, warm);
  }
  return warm.at(snapshot, hiddenRefs, () => objects.openReader());
}

/**
 * Whether clients were shown `id` as a tip that was moved or deleted within the last minute. Known of what
 * {@link warmShownRefs} was asked for in this process, as long as the repository stays open and memory allows.
 */
export function wasShownLately(refs: RefDatabase, hiddenRefs: readonly string[], id: ObjectId): boolean {
  return known.get(refs)?.wasShownLately(hiddenRefs, id) ?? false;
}

/** `answer` in views that a slow client can take one of before it is thought gone; the budget is told of it first. */
export function* sentInChunks(
  { refs }: Pick<Repository, 'refs'>,
  answer: Uint8Array,
): Generator<Uint8Array, undefined> {
  known.get(refs)?.account();
  for (let at = 0; at < answer.length; at += CHUNK_BYTES) yield answer.subarray(at, at + CHUNK_BYTES);
}

class WarmShownRefs implements Evictable {
  readonly #budget: MemoryBudget;
  /** By the patterns of hidden refs, the one used longest ago first. */
  readonly #views = new Map<string, View>();
  #registeredBytes = -1;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  get bytes(): number {
    let sum = 0;
    const counted = new Set<unknown>();
    for (const { shown, recent } of this.#views.values()) {
      sum += recent.bytes;
      if (shown === undefined) continue;
      sum += shown.bytes;
      if (!counted.has(shown.packed)) sum += shown.packed.bytes;
      counted.add(shown.packed);
    }
    return sum;
  }

  evict(): void {
    this.#views.clear();
    this.#registeredBytes = -1;
  }

  account(): void {
    const { bytes } = this;
    if (bytes === this.#registeredBytes) {
      this.#budget.touch(this);
      return;
    }
    this.#registeredBytes = bytes;
    this.#budget.register(this);
  }

  wasShownLately(hiddenRefs: readonly string[], id: ObjectId): boolean {
    return this.#views.get(keyOf(hiddenRefs))?.recent.has(id) ?? false;
  }

  async at(
    snapshot: RefSnapshot,
    hiddenRefs: readonly string[],
    openReader: () => Promise<ObjectReader>,
  ): Promise<ShownRefs> {
    const key = keyOf(hiddenRefs);
    const view = this.#views.get(key);
    let before = view?.shown;
    if (view?.snapshot === snapshot) {
      const shown = await view.refs;
      if (!hasMissing(shown) || !(await hasCome(shown, openReader))) return shown;
      before = undefined;
    }
    const recent = view?.recent ?? new RecentTips();
    const chosen = choose(snapshot, before, hiddenRefs, openReader);
    const refs = view === undefined ? chosen : remembering(view, chosen);
    const made: View = { snapshot, shown: undefined, refs, recent };
    this.#views.delete(key);
    this.#views.set(key, made);
    for (const oldest of this.#views.keys()) {
      if (this.#views.size <= MAX_VIEWS) break;
      this.#views.delete(oldest);
    }
    try {
      made.shown = await made.refs;
      return made.shown;
    } catch (error) {
      if (this.#views.get(key) === made) this.#views.delete(key);
      throw error;
    }
  }
}

/** Everybody who asks meanwhile waits for this, so that nobody's leaving ends it. */
async function choose(
  snapshot: RefSnapshot,
  before: ShownRefs | undefined,
  hiddenRefs: readonly string[],
  openReader: () => Promise<ObjectReader>,
): Promise<ShownRefs> {
  const reader = await openReader();
  try {
    const peeler = new TagPeeler(reader);
    const same = before?.packed;
    const packed =
      same !== undefined && same.packed === snapshot.packed && !comesAny(same, reader)
        ? same
        : await PackedShownRefs.choose(snapshot.packed, hiddenRefs, reader, peeler);
    return await ShownRefs.choose(snapshot, packed, hiddenRefs, reader, peeler, before);
  } finally {
    reader.release();
  }
}

/** `later`, once what went with it is remembered. */
async function remembering({ refs, recent }: View, later: Promise<ShownRefs>): Promise<ShownRefs> {
  const shown = await later;
  let before: ShownRefs;
  try {
    before = await refs;
  } catch {
    return shown; // who asked for it was told; nobody was shown it
  }
  const pace = new Pace(undefined);
  for (const id of before.idsReplacedIn(shown)) {
    if (pace.isDue()) await pace.rest();
    if (id !== undefined) recent.add(id);
  }
  return shown;
}

function keyOf(hiddenRefs: readonly string[]): string {
  return hiddenRefs.join('\0');
}

function hasMissing({ missing, packed }: ShownRefs): boolean {
  return missing.length > 0 || packed.missing.length > 0;
}

async function hasCome(
  { missing, packed }: ShownRefs,
  openReader: () => Promise<ObjectReader>,
): Promise<boolean> {
  const reader = await openReader();
  try {
    return missing.some((id) => reader.has(id)) || comesAny(packed, reader);
  } finally {
    reader.release();
  }
}

function comesAny({ missing, packed }: PackedShownRefs, reader: ObjectReader): boolean {
  return missing.some((index) => reader.has(packed.idAt(index)));
}
