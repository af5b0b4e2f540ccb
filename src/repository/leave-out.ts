/**
 * Objects taken out of a selection, because the client gets them elsewhere.
 * Spec: git's technical/packfile-uri.
 *
 * @module
 */
import { hexToBytes, type ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import type { StoredPack } from '../pack/stored-pack.ts';
import type { ObjectSelection, SelectedEntries } from './object-selection.ts';

export interface LeavingOut {
  readonly selection: ObjectSelection;
  /** Those of the ids given that were selected, in order. */
  readonly leftOut: readonly ObjectId[];
}

/**
 * Take `ids` out of `selection`, which is left as it is.
 *
 * Made for few ids: for each, every pack is asked. With one that is listed, the lists are copied.
 *
 * @param ids each once
 */
export function leaveOut(
  reader: ObjectReader,
  selection: ObjectSelection,
  ids: readonly ObjectId[],
): LeavingOut {
  const listed: number[] = [];
  const stored = (selection.stored ?? []).map((part) => new ReducedEntries(part));
  const leftOut = ids.filter((id) => {
    const raw = hexToBytes(id);
    const number = selection.indexOf(raw, 0);
    if (number < 0) return stored.some((part) => part.remove(reader, raw));
    listed.push(number);
    return true;
  });
  if (leftOut.length === 0) return { selection, leftOut };
  return {
    selection: {
      ...withoutListed(
        selection,
        listed.sort((a, b) => a - b),
      ),
      stored: stored.map(({ part }) => part).filter(({ count }) => count > 0),
    },
    leftOut,
  };
}

/** A part of a selection, copied once something is taken out of it. */
class ReducedEntries {
  part: SelectedEntries;
  #isCopied = false;

  constructor(part: SelectedEntries) {
    this.part = part;
  }

  /** @returns false when it does not hold the object */
  remove(reader: ObjectReader, rawId: Uint8Array): boolean {
    const { index } = reader.packs[this.part.pack] as StoredPack;
    const rank = index.rankOf(rawId, 0);
    if (rank < 0) return false;
    const entry = index.entryAt(index.offsetOf(rank));
    if (!this.part.entries.has(entry)) return false;

    const { part } = this;
    this.part = {
      pack: part.pack,
      entries: this.#isCopied ? part.entries : part.entries.clone(),
      count: part.count - 1,
      nameHashAt: (at) => part.nameHashAt?.(at) ?? 0,
      kindAt: (at) => part.kindAt?.(at) ?? 0,
    };
    this.#isCopied = true;
    this.part.entries.delete(entry);
    return true;
  }
}

/** @param numbers in ascending order */
function withoutListed(selection: ObjectSelection, numbers: readonly number[]): ObjectSelection {
  if (numbers.length === 0) return selection;
  const { format, count } = selection;
  return {
    ...selection,
    count: count - numbers.length,
    ids: withoutItems(selection.ids.subarray(0, count * format.idBytes), numbers, format.idBytes),
    kinds: withoutItems(selection.kinds.subarray(0, count), numbers, 1),
    nameHashes: withoutItems(selection.nameHashes.subarray(0, count), numbers, 1),
    indexOf: (ids, at) => {
      const number = selection.indexOf(ids, at);
      const before = numbers.findIndex((removed) => removed >= number);
      if (before < 0) return number - numbers.length;
      return numbers[before] === number ? -1 : number - before;
    },
    receiverHas: (ids, at) => selection.receiverHas(ids, at),
  };
}

function withoutItems<Items extends Uint8Array | Uint32Array>(
  items: Items,
  numbers: readonly number[],
  width: number,
): Items {
  const left = items.slice(0, items.length - numbers.length * width) as Items;
  let at = (numbers[0] as number) * width;
  for (const [i, number] of numbers.entries()) {
    const run = items.subarray((number + 1) * width, (numbers[i + 1] ?? items.length) * width);
    left.set(run, at);
    at += run.length;
  }
  return left;
}
