/**
 * Patterns of sparse-checkout: those of gitignore(5), but they select.
 * Spec: gitignore(5), "PATTERN FORMAT"; git-rev-list(1), `--filter=sparse:oid`.
 *
 * Clients who may push choose the patterns, so each is matched in time proportional to its length and the path's.
 *
 * @module
 */
import { decodeLatin1 } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import { isObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';

/** More take too long for each path of a history. */
const MAX_PATTERNS = 10_000;
const MAX_BYTES = 1024 * 1024;

/** Of all patterns with wildcards: each takes memory, and time for each character of a path. */
const MAX_STEPS = 100_000;

/** Steps of patterns times characters of one path: some 100 ms, in which nobody else is served. */
const MAX_MATCHING_STEPS = 30_000_000;

/** Step of a compiled pattern: a byte, a set of bytes, `*`, any path, or leave to pass over the next two steps. */
type Step = number | ByteSet | 'star' | 'anything' | 'optional';

/** A bit a byte. */
type ByteSet = Uint8Array;

interface Pattern {
  readonly selects: boolean;
  readonly onlyDirectories: boolean;
  /** Compared with the last name of a path, not with all of it. */
  readonly onName: boolean;
  /** The text itself when nothing in it is special. */
  readonly literal: string | undefined;
  readonly steps: readonly Step[];
}

const SLASH = 47;
const SPECIAL = /[*?[\\]/;

export class SparsePatterns {
  readonly #patterns: readonly Pattern[];
  /** How much there is to follow for each character of a path. */
  readonly stepCount: number;

  /** @throws {GitError} LIMIT_EXCEEDED */
  constructor(blob: Uint8Array) {
    if (blob.length > MAX_BYTES) throw tooLarge(MAX_BYTES, 'bytes');
    const lines = decodeLatin1(blob)
      .replace(/^\xef\xbb\xbf/, '')
      .split('\n');
    const texts = lines.map(trimmed).filter((line) => line !== '' && !line.startsWith('#'));
    if (texts.length > MAX_PATTERNS) throw tooLarge(MAX_PATTERNS, 'patterns');
    let stepCount = 0;
    this.#patterns = texts.map((text) => {
      const pattern = compile(text, MAX_STEPS - stepCount);
      stepCount += pattern.steps.length;
      return pattern;
    });
    this.stepCount = stepCount;
  }

  /**
   * What the last pattern that matches says of a path.
   *
   * @param path a character a byte; empty for the root
   * @returns `undefined` when none matches: then what is said of its directory holds
   * @throws {GitError} LIMIT_EXCEEDED for a path that would take too long
   */
  selects(path: string, isDirectory: boolean): boolean | undefined {
    checkMatchingSteps(this.stepCount, path);
    const name = path.slice(path.lastIndexOf('/') + 1);
    for (let i = this.#patterns.length - 1; i >= 0; i--) {
      const pattern = this.#patterns[i] as Pattern;
      if (pattern.onlyDirectories && !isDirectory) continue;
      // The root has a name, which is empty, and no path: git holds no pattern with a slash against it.
      if (!pattern.onName && path === '') continue;
      if (matches(pattern, pattern.onName ? name : path)) return pattern.selects;
    }
    return undefined;
  }
}

/**
 * The patterns in the blob `id`, which is read only when it is small enough.
 *
 * @throws {GitError} UNSUPPORTED when there is no such blob; LIMIT_EXCEEDED
 */
export function readSparsePatterns(reader: ObjectReader, id: string): SparsePatterns {
  const header = isObjectId(id, reader.format) ? reader.readHeader(id) : undefined;
  if (header?.kind !== 'blob') throw new GitError('UNSUPPORTED', `Cannot filter by ${id}: it is no blob`);
  if (header.sizeBytes > MAX_BYTES) throw tooLarge(MAX_BYTES, 'bytes');
  return new SparsePatterns(reader.read(id)?.data ?? new Uint8Array(0));
}

/** @throws {GitError} LIMIT_EXCEEDED when so many steps are too many for `path` */
export function checkMatchingSteps(stepCount: number, path: string): void {
  if (stepCount * path.length <= MAX_MATCHING_STEPS) return;
  throw new GitError('LIMIT_EXCEEDED', 'patterns and paths are too long to hold one against the other', {
    steps: stepCount,
    pathBytes: path.length,
    limit: MAX_MATCHING_STEPS,
  });
}

/** Whether git's wildmatch() holds `path`, a character a byte, to be one that `glob` stands for; `*` stops at slashes. */
export function matchesGlob(glob: string, path: string): boolean {
  return matches({ literal: undefined, steps: stepsOf(glob, MAX_STEPS) }, path);
}

/** Without a carriage return, and without spaces at the end that no backslash keeps. */
function trimmed(line: string): string {
  let end = line.endsWith('\r') ? line.length - 1 : line.length;
  while (end > 0 && line[end - 1] === ' ' && line[end - 2] !== '\\') end--;
  return line.slice(0, end);
}

/** @throws {GitError} LIMIT_EXCEEDED when it takes more than `mostSteps` */
function compile(line: string, mostSteps: number): Pattern {
  const selects = !line.startsWith('!');
  let text = selects ? line : line.slice(1);
  const onlyDirectories = text.endsWith('/');
  if (onlyDirectories) text = text.slice(0, -1);
  const onName = !text.includes('/');
  if (text.startsWith('/')) text = text.slice(1);
  const isLiteral = !SPECIAL.test(text);
  return {
    selects,
    onlyDirectories,
    onName,
    literal: isLiteral ? text : undefined,
    steps: isLiteral ? [] : stepsOf(text, mostSteps),
  };
}

const NOTHING: ByteSet = new Uint8Array(32);
const ANY_BYTE: ByteSet = setOf((byte) => byte !== SLASH);

function setOf(isIn: (byte: number) => boolean): ByteSet {
  const set = new Uint8Array(32);
  for (let byte = 0; byte < 256; byte++)
    if (isIn(byte)) set[byte >> 3] = (set[byte >> 3] as number) | (1 << (byte & 7));
  return set;
}

function isInSet(set: ByteSet, byte: number): boolean {
  return ((set[byte >> 3] as number) >> (byte & 7)) % 2 === 1;
}

function stepsOf(text: string, mostSteps: number): Step[] {
  const steps: Step[] = [];
  const lastClass = text.lastIndexOf(':]'); // so that nobody looks again and again for what is not there
  for (let i = 0; i < text.length; i++) {
    if (steps.length >= mostSteps) throw tooLarge(MAX_STEPS, 'characters with wildcards');
    const character = text[i];
    if (character === '*') {
      const start = i;
      while (text[i + 1] === '*') i++;
      const isAlone = i === start + 1 && (start === 0 || text[start - 1] === '/');
      if (isAlone && i + 1 === text.length) steps.push('anything');
      else if (isAlone && text[i + 1] === '/') {
        steps.push('optional', 'anything', SLASH);
        i++;
      } else steps.push('star');
    } else if (character === '?') {
      steps.push(ANY_BYTE);
    } else if (character === '[') {
      const { set, end } = readSet(text, i + 1, lastClass);
      steps.push(set);
      i = end;
    } else {
      if (character === '\\') i++;
      // A backslash at the end matches nothing.
      steps.push(i < text.length ? text.charCodeAt(i) : NOTHING);
    }
  }
  return steps;
}

const CLASSES: ReadonlyMap<string, RegExp> = new Map([
  ['alnum', /[0-9A-Za-z]/],
  ['alpha', /[A-Za-z]/],
  ['blank', /[ \t]/],
  ['digit', /[0-9]/],
  ['lower', /[a-z]/],
  ['punct', /[!-/:-@[-`{-~]/],
  ['space', /[\t-\r ]/],
  ['upper', /[A-Z]/],
  ['xdigit', /[0-9A-Fa-f]/],
]);

/** `[…]` from behind its bracket. @returns its bytes, and where it ends; an unfinished one matches nothing */
function readSet(
  text: string,
  start: number,
  lastClass: number,
): { readonly set: ByteSet; readonly end: number } {
  const isNegated = text[start] === '!' || text[start] === '^';
  const first = isNegated ? start + 1 : start;
  const listed = new Uint8Array(256);
  let i = first;
  for (; i < text.length && (text[i] !== ']' || i === first); i++) {
    const named = i < lastClass && text.startsWith('[:', i) ? text.indexOf(':]', i) : -1;
    if (named > 0) {
      const members = CLASSES.get(text.slice(i + 2, named));
      if (members === undefined) return { set: NOTHING, end: text.length };
      for (let byte = 0; byte < 128; byte++) if (members.test(String.fromCharCode(byte))) listed[byte] = 1;
      i = named + 1;
      continue;
    }
    if (text[i] === '\\') i++;
    const low = text.charCodeAt(i);
    let high = low;
    if (text[i + 1] === '-' && text[i + 2] !== ']' && i + 2 < text.length) {
      i += text[i + 2] === '\\' ? 3 : 2;
      high = text.charCodeAt(i);
    }
    listed.fill(1, low, high + 1);
  }
  if (i >= text.length) return { set: NOTHING, end: text.length };
  return { set: setOf((byte) => byte !== SLASH && (listed[byte] === 1) !== isNegated), end: i };
}

/** All places in the pattern that the path so far can have led to are followed at once: nothing is tried again. */
function matches({ literal, steps }: Pick<Pattern, 'literal' | 'steps'>, path: string): boolean {
  if (literal !== undefined) return literal === path;
  let places = new Uint8Array(steps.length + 1);
  let next = new Uint8Array(steps.length + 1);
  places[0] = 1;
  // What is not between these two is not to be looked at: of a long pattern that is nearly all.
  let first = 0;
  let last = passOver(steps, places, 0, 0);
  for (let i = 0; i < path.length; i++) {
    const byte = path.charCodeAt(i);
    let nextFirst = -1;
    let nextLast = -1;
    for (let place = first; place <= last; place++) {
      if (places[place] === 0) continue;
      places[place] = 0; // for the byte after the next
      if (place === steps.length) continue;
      const step = steps[place] as Step;
      const stays = step === 'star' ? byte !== SLASH : step === 'anything';
      if (!stays && !isByte(step, byte)) continue;
      const to = stays ? place : place + 1;
      next[to] = 1;
      if (nextFirst < 0) nextFirst = to;
      nextLast = to;
    }
    if (nextFirst < 0) return false;
    first = nextFirst;
    last = passOver(steps, next, nextFirst, nextLast);
    [places, next] = [next, places];
  }
  return places[steps.length] === 1;
}

function isByte(step: Step, byte: number): boolean {
  return typeof step === 'number' ? step === byte : typeof step === 'object' && isInSet(step, byte);
}

/** Go on from steps that may match nothing. @returns the last place now, which was `last` */
function passOver(steps: readonly Step[], places: Uint8Array, first: number, last: number): number {
  let end = last;
  for (let place = first; place <= end && place < steps.length; place++) {
    if (places[place] === 0) continue;
    const step = steps[place];
    if (step !== 'star' && step !== 'anything' && step !== 'optional') continue;
    places[place + 1] = 1;
    if (step === 'optional') places[place + 3] = 1;
    end = Math.max(end, place + (step === 'optional' ? 3 : 1));
  }
  return end;
}

function tooLarge(limit: number, unit: string): GitError {
  return new GitError('LIMIT_EXCEEDED', `sparse filters of more than ${limit} ${unit} are not served`, {
    limit,
  });
}
