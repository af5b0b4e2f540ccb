/**
 * Names in a ref database, and their order.
 * Spec: git-check-ref-format(1); gitglossary(7), "pseudoref".
 *
 * @module
 */
import { isValidRefName } from '../core/ref-name-format.ts';

export { isValidRefName, MAX_REF_NAME_BYTES, type RefNameOptions } from '../core/ref-name-format.ts';

/** How many refs are read from one name on before a chain of symbolic ones is taken for a loop. git: SYMREF_MAXDEPTH. */
export const MAX_SYMBOLIC_DEPTH = 5;

/** The branch HEAD of a new repository points at, when nobody says otherwise. */
export const DEFAULT_BRANCH = 'main';

/**
 * @returns whether `name` may be read and written in a ref database: a valid name under `refs/`, or a ref of
 * the root such as `HEAD` and `ORIG_HEAD`. Nothing else in a repository can be reached by such a name.
 */
export function isStorableRefName(name: string): boolean {
  return name.startsWith('refs/') ? isValidRefName(name) : isRootRefName(name);
}

const ROOT_REF =
  /^(?:HEAD|[A-Z_-]+_HEAD|AUTO_MERGE|BISECT_EXPECTED_REV|NOTES_MERGE_(?:PARTIAL|REF)|MERGE_AUTOSTASH)$/;

/** @returns whether `name` is that of a ref beside `refs/`, by git's list */
function isRootRefName(name: string): boolean {
  return name.length <= 64 && ROOT_REF.test(name);
}

/** Order of two names by the bytes of their UTF-8, as git sorts refs: negative, zero or positive. */
export function compareRefNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = utf8Rank(a.charCodeAt(i)) - utf8Rank(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above U+FFFF, so their bytes sort after every other code unit's. */
function utf8Rank(codeUnit: number): number {
  return codeUnit >= 0xd800 && codeUnit <= 0xdfff ? codeUnit + 0x10000 : codeUnit;
}
