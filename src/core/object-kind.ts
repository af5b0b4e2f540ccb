/**
 * The four kinds of Git object, and their numbers in a pack.
 * Spec: gitformat-pack(5), "Object types".
 *
 * @module
 */

export type ObjectKind = 'commit' | 'tree' | 'blob' | 'tag';

/** Entry types of a pack. 0 and 5 are invalid; 1 to 4 are whole objects. */
export const COMMIT = 1;
export const TREE = 2;
export const BLOB = 3;
export const TAG = 4;
export const OFS_DELTA = 6;
export const REF_DELTA = 7;

const KIND_OF_CODE: readonly (ObjectKind | undefined)[] = [undefined, 'commit', 'tree', 'blob', 'tag'];

/** @returns the kind whose pack type is `code`, or `undefined` when it is no whole object's */
export function kindOfCode(code: number): ObjectKind | undefined {
  return KIND_OF_CODE[code];
}

/** @returns the pack type of a whole object of this kind: 1 to 4 */
export function codeOfKind(kind: ObjectKind): number {
  return kind === 'commit' ? COMMIT : kind === 'tree' ? TREE : kind === 'blob' ? BLOB : TAG;
}

/** @returns whether `text` names a kind of object */
export function isObjectKind(text: string): text is ObjectKind {
  return text === 'commit' || text === 'tree' || text === 'blob' || text === 'tag';
}
