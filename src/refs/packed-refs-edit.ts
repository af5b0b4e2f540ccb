/**
 * Rewriting a packed-refs file: some refs taken out, some put in, every other line kept byte for byte.
 *
 * @module
 */
import { concatBytes, encodeText } from '../core/bytes.ts';
import { compareIds, type ObjectFormat } from '../core/object-id.ts';
import type { ResolvedRef } from './ref-database.ts';
import { compareRefNames } from './ref-name.ts';

/** What git writes above the refs. It promises that every tag's peeled id is given. */
const HEADER = '# pack-refs with: peeled fully-peeled sorted \n';

const NEWLINE = 10;
const CARET = 94;
const HASH = 35;

export interface PackedRefsEdit {
  /** Names to take out; names that are not there are no error. */
  readonly remove: ReadonlySet<string>;
  /** Refs to put in, in the place of a line of the same name. Tags must come with `peeled`. */
  readonly add: readonly ResolvedRef[];
}

/**
 * Pure. `bytes` is a file that {@link parsePackedRefs} accepts, or empty.
 *
 * @returns the new content, in the order of names when `bytes` was
 */
export function editPackedRefs(bytes: Uint8Array, format: ObjectFormat, edit: PackedRefsEdit): Uint8Array {
  const additions = [...edit.add].sort((a, b) => compareRefNames(a.name, b.name));
  const added = additions.map(({ name }) => encodeText(name));
  const gone = new EncodedNames([...edit.remove, ...additions.map(({ name }) => name)]);
  const nameOffset = format.idHexDigits + 1;
  const parts: Uint8Array[] = [];
  let next = 0; // in additions

  if (bytes.length === 0 && additions.length > 0) parts.push(encodeText(HEADER));
  let keptFrom = 0;
  for (let start = 0, end = 0; start < bytes.length; start = end) {
    end = lineEnd(bytes, start);
    if (bytes[start] === HASH) continue;
    const nameEnd = end - 1;
    const nameStart = start + nameOffset;
    if (bytes[end] === CARET) end = lineEnd(bytes, end);

    const before = next;
    while (next < added.length && compareBytes(added[next] as Uint8Array, bytes, nameStart, nameEnd) < 0)
      next++;
    const isGone = gone.has(bytes, nameStart, nameEnd);
    if (before === next && !isGone) continue;

    parts.push(bytes.subarray(keptFrom, start));
    for (let i = before; i < next; i++) parts.push(formatLine(additions[i] as ResolvedRef));
    keptFrom = isGone ? end : start;
  }
  parts.push(bytes.subarray(keptFrom));
  for (; next < additions.length; next++) parts.push(formatLine(additions[next] as ResolvedRef));
  return concatBytes(...parts);
}

function formatLine({ id, name, peeled }: ResolvedRef): Uint8Array {
  return encodeText(peeled === undefined ? `${id} ${name}\n` : `${id} ${name}\n^${peeled}\n`);
}

/** The offset just past the newline. */
function lineEnd(bytes: Uint8Array, start: number): number {
  const newline = bytes.indexOf(NEWLINE, start);
  return newline < 0 ? bytes.length : newline + 1;
}

function compareBytes(name: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
  const difference = compareIds(name, 0, bytes, start, Math.min(name.length, end - start));
  return difference !== 0 ? difference : name.length - (end - start);
}

/** A set of names that is asked with bytes: no string is made for the lines that stay. */
class EncodedNames {
  readonly #byHash = new Map<number, Uint8Array[]>();

  constructor(names: readonly string[]) {
    for (const name of names) {
      const encoded = encodeText(name);
      const hash = hashOf(encoded, 0, encoded.length);
      const same = this.#byHash.get(hash);
      if (same === undefined) this.#byHash.set(hash, [encoded]);
      else same.push(encoded);
    }
  }

  has(bytes: Uint8Array, start: number, end: number): boolean {
    const same = this.#byHash.get(hashOf(bytes, start, end));
    return same?.some((name) => compareBytes(name, bytes, start, end) === 0) === true;
  }
}

/** FNV-1a, 32 bits. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash;
}
