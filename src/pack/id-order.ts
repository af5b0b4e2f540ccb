/**
 * Putting entries in the order of their ids without an object or a closure call per entry.
 *
 * @module
 */
import { compareIds } from '../core/object-id.ts';

/** Below this an insertion sort wins over another round of counting. */
const INSERTION_BELOW = 32;

/**
 * Sort `entries` by their raw ids `ids[entry * idBytes, …)`, in place and stable: entries with one id stay in the
 * order they came in.
 *
 * Counts bytes from the first on (radix sort, most significant digit first), so that ids chosen to look alike cost
 * at most `idBytes` rounds.
 */
export function sortByIds(entries: Int32Array, ids: Uint8Array, idBytes: number): void {
  const steps = sortingByIds(entries, ids, idBytes);
  while (steps.next().done !== true);
}

/** {@link sortByIds} in small steps, so that a caller with millions of entries can let others run between them. */
export function* sortingByIds(
  entries: Int32Array,
  ids: Uint8Array,
  idBytes: number,
): Generator<undefined, undefined> {
  const spare = new Int32Array(entries.length);
  const ranges: number[] = [0, entries.length, 0]; // start, end, how many bytes are known to be equal
  const starts = new Int32Array(257);
  while (ranges.length > 0) {
    yield;
    const depth = ranges.pop() as number;
    const end = ranges.pop() as number;
    const start = ranges.pop() as number;
    if (depth === idBytes || end - start < 2) continue;
    if (end - start < INSERTION_BELOW) {
      insertionSort(entries, start, end, ids, idBytes);
      continue;
    }
    starts.fill(0);
    for (let i = start; i < end; i++) {
      starts[(ids[(entries[i] as number) * idBytes + depth] as number) + 1]!++;
    }
    for (let byte = 0; byte < 256; byte++) {
      const count = starts[byte + 1] as number;
      if (count > 1) {
        const from = start + (starts[byte] as number);
        ranges.push(from, from + count, depth + 1);
      }
      starts[byte + 1] = (starts[byte] as number) + count;
    }
    for (let i = start; i < end; i++) {
      const entry = entries[i] as number;
      spare[start + starts[ids[entry * idBytes + depth] as number]!++] = entry;
    }
    entries.set(spare.subarray(start, end), start);
  }
  return undefined;
}

function insertionSort(
  entries: Int32Array,
  start: number,
  end: number,
  ids: Uint8Array,
  idBytes: number,
): void {
  for (let i = start + 1; i < end; i++) {
    const entry = entries[i] as number;
    let at = i - 1;
    while (
      at >= start &&
      compareIds(ids, (entries[at] as number) * idBytes, ids, entry * idBytes, idBytes) > 0
    ) {
      entries[at + 1] = entries[at] as number;
      at--;
    }
    entries[at + 1] = entry;
  }
}
