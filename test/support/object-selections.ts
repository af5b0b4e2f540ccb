/**
 * Selections for the pack writer, made by `git rev-list` instead of our own walk.
 *
 * @module
 */
import { bytesToHex, hexToBytes, type ObjectFormat, type ObjectId, SHA1 } from '../../src/core/object-id.ts';
import { codeOfKind, isObjectKind } from '../../src/core/object-kind.ts';
import type { ObjectReader } from '../../src/odb/object-database.ts';
import { Bitset } from '../../src/pack/bitset.ts';
import type { ObjectSelection } from '../../src/repository/object-selection.ts';
import { git } from './git.ts';

export interface SelectedObject {
  readonly id: ObjectId;
  readonly path: string;
}

export interface SelectionRequest {
  readonly format?: ObjectFormat;
  readonly wants: readonly string[];
  /** What the receiver has, with everything reachable from it. */
  readonly haves?: readonly string[];
  /** Keep only these of what was found; any subset is a valid selection for a pack. */
  readonly keep?: (object: SelectedObject, number: number) => boolean;
}

/** What `git rev-list --objects` finds from the wants, less what the haves reach. */
export function selectByGit(directory: string, request: SelectionRequest): ObjectSelection {
  const { format = SHA1, wants, haves = [], keep = () => true } = request;
  const without = haves.map((have) => `^${have}`);
  const selected = revList(directory, [...wants, ...without]).filter(keep);
  const held = new Set(haves.length === 0 ? [] : revList(directory, haves).map(({ id }) => id));
  const preferred = haves.flatMap((have) => treeListing(directory, have));

  const numbers = new Map(selected.map(({ id }, number) => [id, number]));
  const hexAt = (ids: Uint8Array, at: number) => bytesToHex(ids, at, format.idBytes);
  return {
    format,
    count: selected.length,
    ids: packed(selected),
    kinds: kindsOf(directory, selected),
    nameHashes: Uint32Array.from(selected, ({ path }) => nameHash(path)),
    indexOf: (ids, at) => numbers.get(hexAt(ids, at)) ?? -1,
    receiverHas: (ids, at) => held.has(hexAt(ids, at)),
    preferredBases: packed(preferred),
    preferredBaseKinds: kindsOf(directory, preferred),
    preferredBaseNameHashes: Uint32Array.from(preferred, ({ path }) => nameHash(path)),
  };
}

/** Ids of the listed objects of a selection in hex, sorted. */
export function idsOf(selection: ObjectSelection): ObjectId[] {
  const { idBytes } = selection.format;
  return Array.from({ length: selection.count }, (_, n) =>
    bytesToHex(selection.ids, n * idBytes, idBytes),
  ).sort();
}

/** Ids of all objects of a selection in hex, sorted; of those that are not listed too. */
export function allIdsOf(reader: ObjectReader, selection: ObjectSelection): ObjectId[] {
  const { idBytes } = selection.format;
  const ids = idsOf(selection);
  const id = new Uint8Array(idBytes);
  for (const { pack, entries } of selection.stored ?? []) {
    const index = reader.packs[pack]?.index;
    for (let entry = entries.next(0); index !== undefined && entry >= 0; entry = entries.next(entry + 1)) {
      index.copyId(index.rankAtOffset(index.entryStart(entry)), id, 0);
      ids.push(bytesToHex(id));
    }
  }
  return ids.sort();
}

/**
 * The same selection with objects that lie in packs as bits instead of listed.
 *
 * @param packOf which of the packs that hold an object it is taken from; `undefined` to list it
 */
export function withStoredParts(
  reader: ObjectReader,
  selection: ObjectSelection,
  packOf: (packs: readonly number[], number: number) => number | undefined,
): ObjectSelection {
  const { count, ids, kinds, nameHashes, format } = selection;
  const { idBytes } = format;
  const parts = new Map<number, Bitset>();
  const listed: number[] = [];
  for (let number = 0; number < count; number++) {
    const at = number * idBytes;
    const holding = [...reader.packs.keys()].filter(
      (p) => (reader.packs[p]?.index.rankOf(ids, at) ?? -1) >= 0,
    );
    const pack = holding.length === 0 ? undefined : packOf(holding, number);
    const index = pack === undefined ? undefined : reader.packs[pack]?.index;
    if (pack === undefined || index === undefined) {
      listed.push(number);
      continue;
    }
    if (!parts.has(pack)) parts.set(pack, new Bitset(index.objectCount));
    parts.get(pack)?.add(index.entryAt(index.offsetOf(index.rankOf(ids, at))));
  }
  const idAt = (number: number) => bytesToHex(ids, number * idBytes, idBytes);
  const numbers = new Map(listed.map((number, n) => [idAt(number), n]));
  return {
    ...selection,
    count: listed.length,
    ids: hexToBytes(listed.map(idAt).join('')),
    kinds: Uint8Array.from(listed, (number) => kinds[number] as number),
    nameHashes: Uint32Array.from(listed, (number) => nameHashes[number] as number),
    indexOf: (raw, at) => numbers.get(bytesToHex(raw, at, idBytes)) ?? -1,
    stored: Array.from(parts, ([pack, entries]) => ({ pack, entries, count: entries.count() })),
  };
}

function revList(directory: string, revisions: readonly string[]): SelectedObject[] {
  const output = git(directory, 'rev-list', '--objects', ...revisions);
  return parseLines(output, /^([0-9a-f]+) ?(.*)$/);
}

function treeListing(directory: string, revision: string): SelectedObject[] {
  const root = { id: git(directory, 'rev-parse', `${revision}^{tree}`).trim(), path: '' };
  return [
    root,
    ...parseLines(git(directory, 'ls-tree', '-r', '-t', revision), /^\d+ \w+ ([0-9a-f]+)\t(.*)$/),
  ];
}

function parseLines(output: string, line: RegExp): SelectedObject[] {
  return output.split('\n').flatMap((text) => {
    const match = line.exec(text);
    return match === null ? [] : [{ id: match[1] ?? '', path: match[2] ?? '' }];
  });
}

function kindsOf(directory: string, objects: readonly SelectedObject[]): Uint8Array {
  if (objects.length === 0) return new Uint8Array(0);
  const input = objects.map(({ id }) => id).join('\n');
  const kinds = git({ cwd: directory, input }, 'cat-file', '--batch-check=%(objecttype)');
  return Uint8Array.from(kinds.trimEnd().split('\n'), (kind) => {
    if (!isObjectKind(kind)) throw new Error(`git cat-file says: ${kind}`);
    return codeOfKind(kind);
  });
}

function packed(objects: readonly SelectedObject[]): Uint8Array {
  return hexToBytes(objects.map(({ id }) => id).join(''));
}

/** Any hash of the name serves: the real one is tested with the walk. */
function nameHash(path: string): number {
  let hash = 0;
  for (const character of path) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
  return hash >>> 0;
}
