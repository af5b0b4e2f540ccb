/**
 * The refs of one snapshot as clients are shown them, and the answers made of them: as long as nothing changes, the
 * same request is answered with the same bytes.
 *
 * @module
 */
import type { ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { RefSnapshot, SnapshotRef } from '../../refs/ref-database.ts';
import { compareRefNames } from '../../refs/ref-name.ts';
import { RefPrefixes } from '../../refs/ref-prefixes.ts';
import { isHiddenRef } from '../hidden-refs.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { ShownRef } from '../ref-snapshot.ts';
import type { TagPeeler } from '../tag-peeler.ts';
import type { PackedShownRefs } from './packed-shown-refs.ts';
import { appendRefLine, type LineStyle } from './ref-line.ts';

/** A loose ref, or the place of one that nobody is shown: it stands before a packed ref all the same. */
interface LoosePlace {
  readonly name: string;
  readonly shown: ShownRef | undefined;
}

/** Answers smaller than this are made as fast as they are found. */
const MIN_KEPT_BYTES = 4096;
const MAX_KEPT_ANSWERS = 8;
const MAX_KEY_LENGTH = 4096;
const BYTES_PER_LOOSE_REF = 150;

export class ShownRefs {
  readonly packed: PackedShownRefs;
  readonly loose: readonly LoosePlace[];
  /** `undefined` when it leads to no commit, or is hidden. */
  readonly head: ShownRef | undefined;
  /** The branch that HEAD leads to and that does not exist yet. */
  readonly unbornTarget: string | undefined;
  /** Ids of loose refs and of HEAD that the database does not have. They are shown all the same. */
  readonly missing: readonly ObjectId[];
  /** By what was asked, the one asked for longest ago first. */
  readonly #answers = new Map<string, Uint8Array>();
  #looseIds: ReadonlySet<ObjectId> | undefined;

  private constructor(
    packed: PackedShownRefs,
    loose: readonly LoosePlace[],
    head: ShownRef | undefined,
    unbornTarget: string | undefined,
    missing: readonly ObjectId[],
  ) {
    this.packed = packed;
    this.loose = loose;
    this.head = head;
    this.unbornTarget = unbornTarget;
    this.missing = missing;
  }

  /**
   * @param packed made of `snapshot.packed`
   * @param before of an earlier snapshot, with the same hidden refs: what is the same is taken from it
   */
  static async choose(
    snapshot: RefSnapshot,
    packed: PackedShownRefs,
    hiddenRefs: readonly string[],
    reader: ObjectReader,
    peeler: TagPeeler,
    before?: ShownRefs,
  ): Promise<ShownRefs> {
    const missing: ObjectId[] = [];
    const wasMissing = new Set(before?.missing);
    const show = ({ name, id, peeled, finalTarget }: SnapshotRef): ShownRef | undefined => {
      if (id === undefined || isHiddenRef(name, hiddenRefs)) return undefined;
      if (!reader.has(id)) missing.push(id);
      return { name, id, peeled: peeled ?? peeler.peel(id), symbolicTarget: finalTarget };
    };
    const loose: LoosePlace[] = [];
    const pace = new Pace(undefined);
    let next = 0; // in `before`: both are in the order of names
    for (const ref of snapshot.loose) {
      if (pace.isDue()) await pace.rest();
      let place: LoosePlace | undefined;
      while (before !== undefined && next < before.loose.length) {
        place = before.loose[next] as LoosePlace;
        if (compareRefNames(place.name, ref.name) >= 0) break;
        next++;
      }
      const isSame = place?.name === ref.name && place.shown?.id === ref.id && ref.finalTarget === undefined;
      const isWhole = place?.shown !== undefined && !wasMissing.has(place.shown.id);
      loose.push(isSame && isWhole && place !== undefined ? place : { name: ref.name, shown: show(ref) });
    }
    const { head } = snapshot;
    const isUnborn = head !== undefined && head.id === undefined && !isHiddenRef('HEAD', hiddenRefs);
    return new ShownRefs(packed, loose, head && show(head), isUnborn ? head.finalTarget : undefined, missing);
  }

  /** Memory it takes, `packed` not counted. */
  get bytes(): number {
    let sum = BYTES_PER_LOOSE_REF * this.loose.length;
    for (const answer of this.#answers.values()) sum += answer.length;
    return sum;
  }

  /**
   * What `make` makes, kept for the next who asks for `key`. Nobody may write to it.
   *
   * @param key everything that decides the answer, beside these refs
   */
  async answer(key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.#answers.get(key);
    const answer = known ?? (await make());
    if (known === undefined && (answer.length < MIN_KEPT_BYTES || key.length > MAX_KEY_LENGTH)) return answer;
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    if (this.#answers.size > MAX_KEPT_ANSWERS) {
      for (const oldest of this.#answers.keys()) {
        this.#answers.delete(oldest);
        break;
      }
    }
    return answer;
  }

  /** The packets of all refs that `prefixes` select, `HEAD` not among them, in the order of names. */
  async lines(prefixes: readonly string[] | undefined, style: LineStyle): Promise<Uint8Array[]> {
    const { packed } = this.packed;
    const parts: Uint8Array[] = [];
    for (const prefix of new RefPrefixes(prefixes).sorted) {
      let at = packed.lowerBound(prefix);
      const end = packed.endOf(prefix);
      for (let i = this.#firstLoose(prefix); this.loose[i]?.name.startsWith(prefix) === true; i++) {
        const { name, shown } = this.loose[i] as LoosePlace;
        const place = packed.lowerBound(name);
        if (place > at) parts.push(await this.packed.lines(at, place, style));
        if (shown !== undefined) parts.push(encodeLine(shown, style));
        at = place < end && packed.nameAt(place) === name ? place + 1 : place;
      }
      if (end > at) parts.push(await this.packed.lines(at, end, style));
    }
    return parts.filter((part) => part.length > 0);
  }

  /** Every ref under `prefix` that is shown, in the order of names. */
  *under(prefix: string): Generator<ShownRef> {
    const { packed } = this.packed;
    let at = packed.lowerBound(prefix);
    const end = packed.endOf(prefix);
    for (let i = this.#firstLoose(prefix); this.loose[i]?.name.startsWith(prefix) === true; i++) {
      const { name, shown } = this.loose[i] as LoosePlace;
      for (const place = packed.lowerBound(name); at < place; at++) yield* present(this.packed.at(at));
      yield* present(shown);
      if (at < end && packed.nameAt(at) === name) at++;
    }
    for (; at < end; at++) yield* present(this.packed.at(at));
  }

  /** @returns whether some ref that is shown holds `id` */
  async isTip(id: ObjectId): Promise<boolean> {
    this.#looseIds ??= new Set(this.loose.flatMap(({ shown }) => (shown === undefined ? [] : [shown.id])));
    if (this.head?.id === id || this.#looseIds.has(id)) return true;
    const index = await this.packed.findId(id);
    if (index < 0) return false;
    if (!this.#isReplaced(index)) return true;
    // A loose ref stands before this one: another packed ref may hold the same id. Rare enough to look at all.
    for (const ref of this.under('refs/')) if (ref.id === id) return true;
    return false;
  }

  /**
   * Of each ref what was shown, when something else is shown in `later` by its name, or nothing; `undefined` when it is the
   * same. Both are of one repository with the same hidden refs. Another ref may hold it still: that would be a search for
   * each.
   */
  *idsReplacedIn(later: ShownRefs): Generator<ObjectId | undefined> {
    yield replaced(this.head, later.head);
    const kept = new Set(later.loose); // what has not changed is the same place
    for (const place of this.loose) {
      yield kept.has(place) ? undefined : replaced(place.shown, later.#named(place.name));
    }
    const known = new Set(this.loose);
    for (const place of later.loose) {
      yield known.has(place) ? undefined : replaced(this.#named(place.name), place.shown);
    }
    if (later.packed === this.packed) return;
    for (const index of this.packed.placesElsewhereIn(later.packed)) {
      yield index === undefined || this.#isReplaced(index) ? undefined : this.packed.at(index)?.id;
    }
  }

  /** The ref of this name, `HEAD` aside; `undefined` when none is shown. */
  #named(name: string): ShownRef | undefined {
    const place = this.loose[this.#firstLoose(name)];
    return place?.name === name ? place.shown : this.packed.find(name);
  }

  #isReplaced(index: number): boolean {
    const name = this.packed.packed.nameAt(index);
    return this.loose[this.#firstLoose(name)]?.name === name;
  }

  /** The index of the first loose ref whose name is not less than `name`. */
  #firstLoose(name: string): number {
    let low = 0;
    let high = this.loose.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareRefNames((this.loose[middle] as LoosePlace).name, name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function replaced(before: ShownRef | undefined, later: ShownRef | undefined): ObjectId | undefined {
  return before?.id === later?.id ? undefined : before?.id;
}

function* present(ref: ShownRef | undefined): Generator<ShownRef> {
  if (ref !== undefined) yield ref;
}

function encodeLine(ref: ShownRef, style: LineStyle): Uint8Array {
  const packets = new PacketBuffer();
  appendRefLine(packets, ref, style);
  return packets.take();
}
