/**
 * Rewriting a packed-refs file: some refs taken out, some put in, every other line kept byte for byte.
 *
 * @module
 */
import { encodeText } from '../core/bytes.ts';
import { compareIds, type ObjectFormat } from '../core/object-id.ts';
import { sortedInSteps } from '../core/sort-in-steps.ts';
import type { Steps } from '../core/steps.ts';
import type { ResolvedRef } from './ref-database.ts';
import { compareRefNames } from './ref-name.ts';

/** What git writes above the refs. It promises that every tag's peeled id is given. */
const HEADER = '# pack-refs with: peeled fully-peeled sorted \n';

const NOTHING = new Uint8Array(0);
const NEWLINE = 10;
const CARET = 94;
const HASH = 35;

export interface PackedRefsEdit {
  /** Names to take out; names that are not there are no error. */
  readonly remove: ReadonlySet<string>;
  /** Refs to put in, in the place of a line of the same name. Tags must come with `peeled`. */
  readonly add: readonly ResolvedRef[];
}

/** Lines, names or refs looked at in a step. */
const A_STEP = 1024;

/**
 * Pure. `bytes` is a file that {@link parsePackedRefs} accepts, or empty: of millions of lines perhaps.
 *
 * @returns the new content, in the order of names when `bytes` was
 */
export function* editPackedRefs(
  bytes: Uint8Array,
  format: ObjectFormat,
  edit: PackedRefsEdit,
): Steps<Uint8Array> {
  const additions = yield* sortedInSteps(edit.add, (a, b) => compareRefNames(a.name, b.name));
  const added = yield* EncodedNames.of(additions.map(({ name }) => name));
  const addedLines = yield* EncodedLines.of(additions);
  const removed = yield* EncodedNames.of([...edit.remove]);
  const gone = yield* NameSet.of([added, removed]);
  const output = new EditedLines(bytes, format, { added, addedLines, gone });
  while (!output.takeLines(A_STEP)) yield;
  return output.finish();
}

interface EncodedEdit {
  readonly added: EncodedNames;
  /** The line or two of each addition. */
  readonly addedLines: EncodedLines;
  readonly gone: NameSet;
}

class EditedLines {
  readonly #bytes: Uint8Array;
  readonly #nameOffset: number;
  readonly #added: EncodedNames;
  readonly #addedLines: EncodedLines;
  readonly #gone: NameSet;
  readonly #output: Uint8Array;
  #outputEnd = 0;
  #start = 0;
  #keptFrom = 0;
  /** In additions. */
  #next = 0;

  constructor(bytes: Uint8Array, format: ObjectFormat, { added, addedLines, gone }: EncodedEdit) {
    this.#bytes = bytes;
    this.#nameOffset = format.idHexDigits + 1;
    this.#added = added;
    this.#addedLines = addedLines;
    this.#gone = gone;
    const header = bytes.length === 0 && added.count > 0 ? encodeText(HEADER) : NOTHING;
    this.#output = new Uint8Array(header.length + bytes.length + addedLines.bytes.length);
    this.#copy(header, 0, header.length);
  }

  /** @returns whether that was the last */
  takeLines(most: number): boolean {
    const bytes = this.#bytes;
    for (let taken = 0; this.#start < bytes.length; taken++) {
      if (taken === most) return false;
      const start = this.#start;
      let end = lineEnd(bytes, start);
      const nameEnd = end - 1;
      if (bytes[start] !== HASH) {
        if (bytes[end] === CARET) end = lineEnd(bytes, end);
        this.#takeRef(start, nameEnd, end);
      }
      this.#start = end;
    }
    return true;
  }

  /** After the last line. @returns the new content */
  finish(): Uint8Array {
    this.#copy(this.#bytes, this.#keptFrom, this.#bytes.length);
    this.#addUpTo(this.#added.count);
    return this.#output.subarray(0, this.#outputEnd);
  }

  #takeRef(start: number, nameEnd: number, end: number): void {
    const bytes = this.#bytes;
    const added = this.#added;
    const nameStart = start + this.#nameOffset;
    let next = this.#next;
    while (next < added.count && added.compare(next, bytes, nameStart, nameEnd) < 0) next++;
    const isGone = this.#gone.has(bytes, nameStart, nameEnd);
    if (next === this.#next && !isGone) return;
    this.#copy(bytes, this.#keptFrom, start);
    this.#addUpTo(next);
    this.#keptFrom = isGone ? end : start;
  }

  #addUpTo(next: number): void {
    const { bytes, starts } = this.#addedLines;
    this.#copy(bytes, starts[this.#next] as number, starts[next] as number);
    this.#next = next;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    if (end === start) return;
    this.#output.set(bytes.subarray(start, end), this.#outputEnd);
    this.#outputEnd += end - start;
  }
}

/** The lines of refs, one after another, and where those of each begin. */
class EncodedLines {
  readonly bytes: Uint8Array;
  /** One more than there are refs. */
  readonly starts: Uint32Array;

  private constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.bytes = bytes;
    this.starts = starts;
  }

  static *of(refs: readonly ResolvedRef[]): Steps<EncodedLines> {
    let text = '';
    for (const [i, { id, name, peeled }] of refs.entries()) {
      text += peeled === undefined ? `${id} ${name}\n` : `${id} ${name}\n^${peeled}\n`;
      if (i % A_STEP === 0) yield;
    }
    const bytes = encodeText(text);
    const starts = new Uint32Array(refs.length + 1);
    for (let i = 0, end = 0; i < refs.length; i++) {
      end = lineEnd(bytes, end);
      if (refs[i]?.peeled !== undefined) end = lineEnd(bytes, end);
      starts[i + 1] = end;
      if (i % A_STEP === 0) yield;
    }
    return new EncodedLines(bytes, starts);
  }
}

/** The offset just past the newline. */
function lineEnd(bytes: Uint8Array, start: number): number {
  const newline = bytes.indexOf(NEWLINE, start);
  return newline < 0 ? bytes.length : newline + 1;
}

/** Names as bytes, one after another: a push may bring fifty thousand, and no array is made for each. */
class EncodedNames {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Where each begins, and where the next would. A newline ends each. */
  readonly #starts: Uint32Array;

  private constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.count = starts.length - 1;
    this.bytes = bytes;
    this.#starts = starts;
  }

  static *of(names: readonly string[]): Steps<EncodedNames> {
    const bytes = encodeText(names.length === 0 ? '' : `${names.join('\n')}\n`);
    yield;
    const starts = new Uint32Array(names.length + 1);
    for (let i = 0; i < names.length; i++) {
      starts[i + 1] = lineEnd(bytes, starts[i] as number);
      if (i % A_STEP === 0) yield;
    }
    return new EncodedNames(bytes, starts);
  }

  startOf(index: number): number {
    return this.#starts[index] as number;
  }

  endOf(index: number): number {
    return (this.#starts[index + 1] as number) - 1;
  }

  /** The order of the name at `index` and of one in `bytes`. */
  compare(index: number, bytes: Uint8Array, start: number, end: number): number {
    const from = this.startOf(index);
    const length = this.endOf(index) - from;
    const difference = compareIds(this.bytes, from, bytes, start, Math.min(length, end - start));
    return difference !== 0 ? difference : length - (end - start);
  }
}

const NO_NAME = 0;

/** A set of names that is asked with bytes: no string is made for the lines that stay. */
class NameSet {
  readonly #lists: readonly EncodedNames[];
  /** Open addressing: one more than the position of a name among all lists; at most half full. */
  readonly #slots: Uint32Array;

  private constructor(lists: readonly EncodedNames[]) {
    this.#lists = lists;
    const count = lists.reduce((sum, list) => sum + list.count, 0);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * count + 1)));
  }

  static *of(lists: readonly EncodedNames[]): Steps<NameSet> {
    const set = new NameSet(lists);
    let position = 0;
    for (const list of lists) {
      for (let i = 0; i < list.count; i++) {
        set.#slots[set.#slotFor(list.bytes, list.startOf(i), list.endOf(i))] = ++position;
        if (i % A_STEP === 0) yield;
      }
    }
    return set;
  }

  has(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#slots[this.#slotFor(bytes, start, end)] !== NO_NAME;
  }

  /** Where the name is, or would be. */
  #slotFor(bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(bytes, start, end) & mask;
    for (;;) {
      const position = this.#slots[slot] as number;
      if (position === NO_NAME || this.#isAt(position - 1, bytes, start, end)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isAt(position: number, bytes: Uint8Array, start: number, end: number): boolean {
    let index = position;
    for (const list of this.#lists) {
      if (index < list.count) return list.compare(index, bytes, start, end) === 0;
      index -= list.count;
    }
    return false;
  }
}

/** Of this process: names that somebody chose to have one hash do not have it here. */
const SEED = crypto.getRandomValues(new Uint32Array(1))[0] as number;

/** FNV-1a, 32 bits. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash;
}
