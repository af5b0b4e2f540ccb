/**
 * The packed-refs file: one line `<id> SP <name>` a ref, sorted by name, each annotated tag followed by
 * `^<id>` of what it finally points at.
 * Spec: git-pack-refs(1); the header's traits as git writes them: `peeled fully-peeled sorted`.
 *
 * @module
 */
import { decodeText } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import type { ObjectFormat, ObjectId } from '../core/object-id.ts';
import { inOneGo, type Steps } from '../core/steps.ts';
import { compareRefNames, isValidRefName } from './ref-name.ts';
import type { ResolvedRef } from './resolved-ref.ts';

const SPACE = 32;
const CARET = 94;
const HASH = 35;
const TRAITS = '# pack-refs with:';
/** Read in a step. */
const LINES_A_STEP = 1024;

/**
 * The refs of one packed-refs file. Holds the text of the file and four bytes a ref; strings and objects are
 * made only for what is asked for.
 */
export class PackedRefs {
  readonly format: ObjectFormat;
  readonly #text: string;
  /** Where each ref's line starts, in the order of names. */
  readonly #lines: Uint32Array;
  readonly #peeling: 'all' | 'tags' | 'none';

  constructor(format: ObjectFormat, text: string, lines: Uint32Array) {
    this.format = format;
    this.#text = text;
    this.#lines = lines;
    this.#peeling = peelingOf(text);
  }

  get count(): number {
    return this.#lines.length;
  }

  /** Characters of the file: what this holds of memory, but for four bytes a ref. */
  get textLength(): number {
    return this.#text.length;
  }

  /** Whether they were read from this text. */
  isOf(text: string): boolean {
    return this.#text === text;
  }

  /** Whether a ref of this name, when nothing says what it finally points at, is known to be no tag. */
  isPeeled(name: string): boolean {
    return this.#peeling === 'all' || (this.#peeling === 'tags' && name.startsWith('refs/tags/'));
  }

  /** The ref at `index` in the order of names. */
  at(index: number): ResolvedRef {
    const line = this.#lines[index] as number;
    const { idHexDigits } = this.format;
    const end = this.#text.indexOf('\n', line);
    const id = this.#text.slice(line, line + idHexDigits);
    const name = this.#text.slice(line + idHexDigits + 1, end);
    if (this.#text.charCodeAt(end + 1) !== CARET) return { name, id };
    return { name, id, peeled: this.#text.slice(end + 2, end + 2 + idHexDigits) };
  }

  /** Where the line of the ref at `index` starts in the text of the file. */
  lineAt(index: number): number {
    return this.#lines[index] as number;
  }

  idAt(index: number): ObjectId {
    const line = this.#lines[index] as number;
    return this.#text.slice(line, line + this.format.idHexDigits);
  }

  nameAt(index: number): string {
    const start = (this.#lines[index] as number) + this.format.idHexDigits + 1;
    return this.#text.slice(start, this.#text.indexOf('\n', start));
  }

  find(name: string): ResolvedRef | undefined {
    const index = this.lowerBound(name);
    return index < this.count && this.nameAt(index) === name ? this.at(index) : undefined;
  }

  /** The index of the first ref whose name is not less than `name`. */
  lowerBound(name: string): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareRefNames(this.nameAt(middle), name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The index after the last ref whose name starts with `prefix`. */
  endOf(prefix: string): number {
    let low = this.lowerBound(prefix);
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.nameAt(middle).startsWith(prefix)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The name of some ref below `directory`, which ends with a slash. */
  firstUnder(directory: string): string | undefined {
    const index = this.lowerBound(directory);
    if (index === this.count) return undefined;
    const name = this.nameAt(index);
    return name.startsWith(directory) ? name : undefined;
  }
}

/** The traits in the header, if there is one. */
function peelingOf(text: string): 'all' | 'tags' | 'none' {
  if (!text.startsWith(TRAITS)) return 'none';
  const traits = text.slice(TRAITS.length, text.indexOf('\n')).split(' ');
  if (traits.includes('fully-peeled')) return 'all';
  return traits.includes('peeled') ? 'tags' : 'none';
}

/** No packed refs: what a missing or empty file holds. */
export function emptyPackedRefs(format: ObjectFormat): PackedRefs {
  return new PackedRefs(format, '', new Uint32Array(0));
}

/** {@link readPackedRefs} of the bytes of a file, in one go. */
export function parsePackedRefs(bytes: Uint8Array, format: ObjectFormat): PackedRefs {
  return inOneGo(readPackedRefs(decodeText(bytes), format));
}

/**
 * Read a packed-refs file: with or without a header, sorted or not. Lines whose name breaks
 * check-ref-format, or is no UTF-8, are passed over: nobody can ask for them.
 *
 * @param text of the file, UTF-8 as {@link decodeText} reads it
 * @throws {GitError} REF_INVALID with `detail.line` for a line that is neither ref, peeled id nor header
 */
export function* readPackedRefs(text: string, format: ObjectFormat): Steps<PackedRefs> {
  const digits = format.idHexDigits;
  const { length } = text;
  let lines = new Uint32Array(Math.max(16, Math.ceil(length / (digits + 24))));
  let count = 0;
  let isSorted = true;
  let previousName = '';
  let mayPeel = false; // only a ref is followed by what it points at

  for (let line = 1, start = 0, end = 0; start < length; line++, start = end + 1) {
    if (line % LINES_A_STEP === 0) yield;
    end = lineEnd(text, start);
    const first = text.charCodeAt(start);
    if (first === CARET) {
      if (end - start !== digits + 1 || !isHex(text, start + 1, end) || !mayPeel) throw badLine(line);
      mayPeel = false;
    } else if (first !== HASH) {
      if (end - start < digits + 2 || text.charCodeAt(start + digits) !== SPACE) throw badLine(line);
      if (!isHex(text, start, start + digits)) throw badLine(line);
      mayPeel = true;
      const name = text.slice(start + digits + 1, end);
      if (isValidRefName(name) && !name.includes('\ufffd')) {
        if (count === lines.length) lines = grown(lines);
        if (isSorted && compareRefNames(previousName, name) >= 0) isSorted = false;
        lines[count++] = start;
        previousName = name;
      }
    }
  }

  const refs = new PackedRefs(format, text, lines.slice(0, count));
  return isSorted ? refs : sortedByName(refs, text);
}

function lineEnd(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  if (end < 0) throw new GitError('REF_INVALID', 'Cannot read packed-refs: the last line is not ended');
  return end;
}

function isHex(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 102))) return false;
  }
  return true;
}

function badLine(line: number): GitError {
  return new GitError('REF_INVALID', `Cannot read packed-refs: unexpected line ${line}`, { line });
}

function grown(lines: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(lines.length * 2);
  larger.set(lines);
  return larger;
}

/** Files of git before 1.5 are not sorted. Of lines with one name the last holds. */
function sortedByName(refs: PackedRefs, text: string): PackedRefs {
  const lineOfName = new Map<string, number>();
  for (let i = 0; i < refs.count; i++) lineOfName.set(refs.nameAt(i), refs.lineAt(i));
  const sorted = [...lineOfName].sort(([a], [b]) => compareRefNames(a, b));
  return new PackedRefs(
    refs.format,
    text,
    Uint32Array.from(sorted, ([, line]) => line),
  );
}
