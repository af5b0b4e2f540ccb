/**
 * The text of a Git config file.
 * Spec: git-config(1), "CONFIGURATION FILE", "Values". Here includes are entries like any others; files are put together
 * in node/config/.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';

/** Which kind of file an entry comes from, or that the environment says it. */
export type ConfigScope = 'system' | 'global' | 'local' | 'worktree' | 'command';

export interface ConfigEntry {
  /** `section.key` or `section.subsection.key`: section and key in lower case, the subsection as written. */
  readonly name: string;
  /** `undefined` for a key without `=`, which stands for true. */
  readonly value: string | undefined;
  /** Absent for a text that nobody said the place of; it counts as the repository's own. */
  readonly scope?: ConfigScope | undefined;
}

/** Entries of config files, in their order. Of several values of one name the last holds. */
export class GitConfig {
  readonly entries: readonly ConfigEntry[];

  constructor(entries: readonly ConfigEntry[]) {
    this.entries = entries;
  }

  /**
   * What whoever can only write to the repository has no say in: system, global and command scope.
   * Spec: git-config(1), "Protected configuration".
   */
  get protected(): GitConfig {
    return new GitConfig(this.entries.filter(({ scope }) => PROTECTED.includes(scope)));
  }

  /** The value of `name`, such as `core.bare`; `undefined` when it is not set, `''` for a key without `=`. */
  get(name: string): string | undefined {
    const entry = this.#last(name);
    return entry && (entry.value ?? '');
  }

  /** All values of `name`, in order. */
  getAll(name: string): string[] {
    const normal = normalName(name);
    return this.entries.filter((entry) => entry.name === normal).map(({ value }) => value ?? '');
  }

  /**
   * true, yes, on, a number but 0, and no value at all; false, no, off, 0 and the empty value.
   *
   * @throws {GitError} REPOSITORY_INVALID for anything else
   */
  getBoolean(name: string): boolean | undefined {
    const entry = this.#last(name);
    if (entry === undefined) return undefined;
    const value = (entry.value ?? 'true').toLowerCase();
    if (/^(?:true|yes|on)$/.test(value)) return true;
    if (/^(?:false|no|off|)$/.test(value)) return false;
    return this.#integer(name, value) !== 0;
  }

  /**
   * A whole number, decimal, octal (`0…`) or hexadecimal (`0x…`); `k`, `m` and `g` behind it multiply by powers of 1024.
   *
   * @throws {GitError} REPOSITORY_INVALID when it is none
   */
  getInteger(name: string): number | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : this.#integer(name, value);
  }

  #last(name: string): ConfigEntry | undefined {
    const normal = normalName(name);
    return this.entries.findLast((entry) => entry.name === normal);
  }

  #integer(name: string, value: string): number {
    const [, sign, digits, unit = ''] = NUMBER.exec(value) ?? [];
    const size = Number(digits?.replace(/^0(?=[0-7])/, '0o'));
    const number = (sign === '-' ? -size : size) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase());
    if (Number.isSafeInteger(number)) return number;
    throw new GitError('REPOSITORY_INVALID', `Cannot read config: bad value '${value}' for '${name}'`);
  }
}

/** As strtoimax() reads it with base 0. */
const NUMBER = /^\s*([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)([kmg]?)$/i;

const PROTECTED: readonly (ConfigScope | undefined)[] = ['system', 'global', 'command'];

function normalName(name: string): string {
  const first = name.indexOf('.');
  const last = name.lastIndexOf('.');
  return name.slice(0, first).toLowerCase() + name.slice(first, last) + name.slice(last).toLowerCase();
}

/**
 * Read a config file.
 *
 * @param onEntry told of each entry as it is read: of those before a line that does not parse, too
 * @throws {GitError} REPOSITORY_INVALID with `detail.line` for the first line that does not parse
 */
export function parseGitConfig(text: string, onEntry?: (entry: ConfigEntry) => void): GitConfig {
  const entries: ConfigEntry[] = [];
  for (const entry of new ConfigReader(text).entries()) {
    entries.push(entry);
    onEntry?.(entry);
  }
  return new GitConfig(entries);
}

const LETTER = /[A-Za-z]/;
const KEY_CHARACTER = /[A-Za-z0-9-]/;
const WHITE = /[ \t\n\r]/; // git's isspace()
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b', '\\': '\\', '"': '"' };

/** A file is a stream of characters to git: a key may follow its section's header on the same line. */
class ConfigReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  }

  *entries(): Generator<ConfigEntry, undefined> {
    let section: string | undefined;
    while (this.#at < this.#text.length) {
      const character = this.#peek();
      if (WHITE.test(character)) this.#at++;
      else if (character === '#' || character === ';') this.#skipLine();
      else if (character === '[') section = this.#section();
      else if (section !== undefined && LETTER.test(character)) yield this.#entry(section);
      else throw this.#badLine(this.#at);
    }
  }

  /** The character at the reading point; the end of the text ends a line too. */
  #peek(): string {
    return this.#text[this.#at] ?? '\n';
  }

  #next(): string {
    const character = this.#peek();
    this.#at++;
    return character;
  }

  #skipLine(): void {
    while (this.#peek() !== '\n') this.#at++;
  }

  /** `[section]`, `[section "Sub"]`, or `[section.sub]` of old. */
  #section(): string {
    this.#at++;
    let name = '';
    for (let character = this.#next(); character !== ']'; character = this.#next()) {
      if (character === ' ' || character === '\t') return `${name}.${this.#subsection()}`;
      if (!KEY_CHARACTER.test(character) && character !== '.') throw this.#badLine();
      name += character.toLowerCase();
    }
    return name;
  }

  #subsection(): string {
    while (this.#peek() === ' ' || this.#peek() === '\t') this.#at++;
    if (this.#next() !== '"') throw this.#badLine();
    let name = '';
    for (let character = this.#next(); character !== '"'; character = this.#next()) {
      if (character === '\\') character = this.#next();
      if (character === '\n') throw this.#badLine();
      name += character;
    }
    if (this.#next() !== ']') throw this.#badLine();
    return name;
  }

  #entry(section: string): ConfigEntry {
    let key = '';
    while (KEY_CHARACTER.test(this.#peek())) key += this.#next().toLowerCase();
    while (this.#peek() === ' ' || this.#peek() === '\t') this.#at++;
    const name = `${section}.${key}`;
    if (this.#peek() === '\n') return { name, value: undefined };
    if (this.#next() !== '=') throw this.#badLine();
    return { name, value: this.#value() };
  }

  #value(): string {
    let value = '';
    let kept = 0; // without the white space that may turn out to be the last
    let isQuoted = false;
    for (let character = this.#next(); ; character = this.#next()) {
      if (character === '\n') {
        if (isQuoted) throw this.#badLine();
        return value.slice(0, kept);
      }
      if (!isQuoted && WHITE.test(character)) {
        if (value !== '') value += character;
        continue;
      }
      if (!isQuoted && (character === '#' || character === ';')) {
        this.#skipLine();
        continue;
      }
      if (character === '"') isQuoted = !isQuoted;
      else if (character === '\\') value += this.#escape();
      else value += character;
      kept = value.length;
    }
  }

  /** What a backslash and the next character stand for; a backslash at the end of a line joins the next one. */
  #escape(): string {
    const character = this.#next();
    if (character === '\n') return '';
    const escaped = ESCAPED[character];
    if (escaped === undefined) throw this.#badLine();
    return escaped;
  }

  /** @param at where the character stands that does not fit: the one read last, or one only looked at */
  #badLine(at = this.#at - 1): GitError {
    const line = this.#text.slice(0, at).split('\n').length;
    return new GitError('REPOSITORY_INVALID', `Cannot read config: bad line ${line}`, { line });
  }
}
