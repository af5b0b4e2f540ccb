/**
 * Selections for the pack writer, made by `git rev-list` instead of our own walk.
 *
 * @module
 */
import { bytesToHex, hexToBytes, type ObjectFormat, type ObjectId, SHA1 } from '../../src/core/object-id.ts';
import { codeOfKind, isObjectKind } from '../../src/core/object-kind.ts';
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

/** Ids of a selection in hex, sorted. */
export function idsOf(selection: ObjectSelection): ObjectId[] {
  const { idBytes } = selection.format;
  return Array.from({ length: selection.count }, (_, n) =>
    bytesToHex(selection.ids, n * idBytes, idBytes),
  ).sort();
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
