/**
 * Attributes of paths, from the `.gitattributes` of the tree that is archived.
 * Spec: gitattributes(5).
 *
 * @module
 */
import { decodeLatin1, encodeLatin1 } from '../../core/bytes.ts';
import { SparsePatterns } from '../sparse-patterns.ts';

/** Set, unset (`-name`), a value (`name=value`), or unspecified (`!name`). */
export type AttributeValue = true | false | string | undefined;

/** Those that archives ask for; lines that set none of them are not kept. */
const ASKED: ReadonlySet<string> = new Set([
  'export-ignore',
  'export-subst',
  'diff',
  'text',
  'crlf',
  'eol',
  'ident',
]);

/** Longer lines are passed over. git: the same. */
const MAX_LINE_BYTES = 2048;
const SUFFIX_PATTERN = /^\*([^*?[\]\\/]+)$/;
const BYTE_ORDER_MARK = '\xef\xbb\xbf';

interface AttributeLine {
  readonly pattern: SparsePatterns;
  /** What the last name of a path must end with, when that is all the pattern asks: most are `*.txt`. */
  readonly suffix: string | undefined;
  readonly values: ReadonlyMap<string, AttributeValue>;
}

/** Attributes that stand for several. */
type Macros = Map<string, ReadonlyMap<string, AttributeValue>>;

/** One file, for the paths below where it stands. */
export class AttributesFile {
  readonly #lines: readonly AttributeLine[];

  /** @param macros what files above have defined; those of this file are added if it `mayDefine` */
  constructor(content: Uint8Array, macros: Macros, mayDefine: boolean) {
    const lines: AttributeLine[] = [];
    const text = decodeLatin1(content);
    for (const line of (text.startsWith(BYTE_ORDER_MARK) ? text.slice(3) : text).split('\n')) {
      const read = line.length < MAX_LINE_BYTES ? readLine(line, macros, mayDefine) : undefined;
      if (read !== undefined) lines.push(read);
    }
    this.#lines = lines;
  }

  get lineCount(): number {
    return this.#lines.length;
  }

  /** How much there is to follow for each character of a path. */
  get stepCount(): number {
    return this.#lines.reduce(
      (sum, { pattern, suffix }) => sum + (suffix === undefined ? pattern.stepCount : 0),
      0,
    );
  }

  /**
   * Add to `found` what is said of `path`, which is relative to where the file stands, and is not in it yet.
   *
   * A value that is `undefined` says "unspecified".
   */
  collect(path: string, isDirectory: boolean, found: Map<string, AttributeValue>): void {
    for (let i = this.#lines.length - 1; i >= 0; i--) {
      const line = this.#lines[i] as AttributeLine;
      if (!matches(line, path, isDirectory)) continue;
      for (const [name, value] of line.values) if (!found.has(name)) found.set(name, value);
    }
  }
}

function matches({ pattern, suffix }: AttributeLine, path: string, isDirectory: boolean): boolean {
  return suffix === undefined ? pattern.selects(path, isDirectory) === true : path.endsWith(suffix);
}

/** What is built in: `binary` is `-diff -merge -text`. */
export function builtInMacros(): Macros {
  return new Map([
    [
      'binary',
      new Map<string, AttributeValue>([
        ['diff', false],
        ['text', false],
      ]),
    ],
  ]);
}

function readLine(line: string, macros: Macros, mayDefine: boolean): AttributeLine | undefined {
  const trimmed = line.replace(/^[ \t\r]+/, '');
  if (trimmed === '' || trimmed.startsWith('#')) return undefined;
  const [pattern, rest] = trimmed.startsWith('"') ? readQuoted(trimmed) : readPlain(trimmed);
  if (pattern === undefined) return undefined;
  if (pattern.startsWith('[attr]')) {
    if (mayDefine) macros.set(pattern.slice('[attr]'.length), readValues(rest, macros));
    return undefined;
  }
  if (pattern.startsWith('!')) return undefined; // git: negative patterns are ignored in attributes
  const values = readValues(rest, macros);
  if (values.size === 0) return undefined;
  const suffix = SUFFIX_PATTERN.exec(pattern)?.[1];
  return { pattern: new SparsePatterns(encodeLatin1(pattern)), suffix, values };
}

function readPlain(line: string): readonly [string, string] {
  const end = line.search(/[ \t\r]/);
  return end < 0 ? [line, ''] : [line.slice(0, end), line.slice(end)];
}

const ESCAPED: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  '\\': '\\',
};

/** A pattern in quotes as C writes them. */
function readQuoted(line: string): readonly [string | undefined, string] {
  let pattern = '';
  for (let i = 1; i < line.length; i++) {
    const character = line[i] as string;
    if (character === '"') return [pattern, line.slice(i + 1)];
    if (character !== '\\') {
      pattern += character;
      continue;
    }
    i++;
    const octal = /^[0-3][0-7]{2}/.exec(line.slice(i, i + 3))?.[0];
    const escaped =
      octal === undefined ? ESCAPED[line[i] ?? ''] : String.fromCharCode(Number.parseInt(octal, 8));
    if (escaped === undefined) break;
    pattern += escaped;
    if (octal !== undefined) i += 2;
  }
  return [undefined, ''];
}

/** Of one line the last word on an attribute holds; a macro speaks before what follows it. */
function readValues(text: string, macros: Macros): ReadonlyMap<string, AttributeValue> {
  const values = new Map<string, AttributeValue>();
  for (const word of text.split(/[ \t\r]+/)) {
    if (word === '') continue;
    const isUnset = word.startsWith('-');
    const isUnspecified = word.startsWith('!');
    const [name = '', value] = (isUnset || isUnspecified ? word.slice(1) : word).split('=', 2);
    if (!isUnset && !isUnspecified && value === undefined) {
      for (const [inner, meant] of macros.get(name) ?? []) values.set(inner, meant);
    }
    if (ASKED.has(name)) values.set(name, isUnset ? false : isUnspecified ? undefined : (value ?? true));
  }
  return values;
}
