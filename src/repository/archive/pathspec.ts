/**
 * Which paths of a tree are meant: the arguments behind the tree.
 * Spec: gitglossary(7), "pathspec".
 *
 * Clients choose them, so each is matched in time proportional to its length and the path's.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';

interface Item {
  /** A character a byte. */
  readonly text: string;
  readonly isExcluded: boolean;
  readonly isLiteral: boolean;
}

const WILDCARD = /[*?[\\]/;
/** Of all specs with wildcards together: they are held against each path. */
const MAX_WILDCARD_CHARACTERS = 8192;
const LONG_MAGIC = /^:\(([^)]*)\)/;
const SHORT_MAGIC = /^:([!^/]*):?/;

export class Pathspec {
  readonly #included: readonly Item[];
  readonly #excluded: readonly Item[];

  /** @throws {GitError} UNSUPPORTED for magic that is not known here; LIMIT_EXCEEDED */
  constructor(specs: readonly string[]) {
    const items = specs.filter((spec) => spec !== '').map(parseItem);
    const characters = items.reduce((sum, { text, isLiteral }) => sum + (isLiteral ? 0 : text.length), 0);
    if (characters > MAX_WILDCARD_CHARACTERS) {
      const message = `pathspecs with more than ${MAX_WILDCARD_CHARACTERS} characters of wildcards are not served`;
      throw new GitError('LIMIT_EXCEEDED', message, { limit: MAX_WILDCARD_CHARACTERS });
    }
    this.#included = items.filter(({ isExcluded }) => !isExcluded);
    this.#excluded = items.filter(({ isExcluded }) => isExcluded);
  }

  /** @param path a character a byte, without a slash at its end */
  selects(path: string, isDirectory: boolean): boolean {
    const isMeant =
      this.#included.length === 0 || this.#included.some((item) => matches(item, path, isDirectory));
    return isMeant && !this.#excluded.some((item) => matches(item, path, isDirectory));
  }

  /** Whether anything below this directory may be selected. */
  mayEnter(path: string): boolean {
    if (this.#excluded.some((item) => item.isLiteral && matches(item, path, true))) return false;
    if (this.#included.length === 0) return true;
    return this.#included.some(
      (item) => !item.isLiteral || item.text.startsWith(`${path}/`) || matches(item, path, true),
    );
  }
}

function parseItem(spec: string): Item {
  let isExcluded = false;
  let isLiteral = false;
  let text = spec;
  const long = LONG_MAGIC.exec(spec);
  if (long !== null) {
    for (const word of (long[1] as string).split(',')) {
      if (word === 'exclude') isExcluded = true;
      else if (word === 'literal') isLiteral = true;
      else if (word !== 'top' && word !== '') throw unsupported(word, spec);
    }
    text = spec.slice(long[0].length);
  } else if (spec.startsWith(':')) {
    const magic = (SHORT_MAGIC.exec(spec) as RegExpExecArray)[0];
    isExcluded = /[!^]/.test(magic);
    text = spec.slice(magic.length);
  }
  text = text.replace(/^(?:\.\/+)+/, '').replace(/\/{2,}/g, '/');
  if (text === '.') text = '';
  if (text.split('/').includes('..')) {
    throw new GitError('INVALID_ARGUMENT', `${spec}: '${spec}' is outside repository`);
  }
  return { text, isExcluded, isLiteral: isLiteral || !WILDCARD.test(text) };
}

function unsupported(word: string, spec: string): GitError {
  return new GitError('UNSUPPORTED', `Unsupported pathspec magic '${word}' in '${spec}'`);
}

function matches({ text, isLiteral }: Item, path: string, isDirectory: boolean): boolean {
  if (text === '') return true;
  const name = text.endsWith('/') ? text.slice(0, -1) : text;
  if (path.startsWith(`${name}/`)) return true;
  if (path === name) return isDirectory || name === text;
  return !isLiteral && matchesGlob(text, path);
}

/** Shell wildcards where even a slash is like any other character; the last star is the only place to come back to. */
function matchesGlob(glob: string, path: string): boolean {
  let at = 0;
  let pathAt = 0;
  let starAt = -1;
  let starPathAt = 0;
  while (pathAt < path.length) {
    const end = glob[at] === '*' ? -1 : matchOne(glob, at, path.charCodeAt(pathAt));
    if (end > 0) {
      at = end;
      pathAt++;
    } else if (glob[at] === '*') {
      starAt = at++;
      starPathAt = pathAt;
    } else if (starAt >= 0) {
      at = starAt + 1;
      pathAt = ++starPathAt;
    } else return false;
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
}

/** @returns where the glob goes on if the character fits it, else 0 */
function matchOne(glob: string, at: number, character: number): number {
  switch (glob[at]) {
    case undefined:
      return 0;
    case '?':
      return at + 1;
    case '\\':
      return at + 1 < glob.length && glob.charCodeAt(at + 1) === character ? at + 2 : 0;
    case '[':
      return matchSet(glob, at + 1, character);
    default:
      return glob.charCodeAt(at) === character ? at + 1 : 0;
  }
}

function matchSet(glob: string, start: number, character: number): number {
  const isNegated = glob[start] === '!' || glob[start] === '^';
  const first = isNegated ? start + 1 : start;
  let isIn = false;
  for (let i = first; i < glob.length; i++) {
    if (glob[i] === ']' && i > first) return isIn !== isNegated ? i + 1 : 0;
    if (glob[i] === '\\') i++;
    const low = glob.charCodeAt(i);
    const isRange = glob[i + 1] === '-' && i + 2 < glob.length && glob[i + 2] !== ']';
    const high = isRange ? glob.charCodeAt(i + 2) : low;
    if (isRange) i += 2;
    if (character >= low && character <= high) isIn = true;
  }
  return 0; // a set without its end matches nothing
}
