/**
 * `$Format:…$` in files with the attribute export-subst, filled in with what the archived commit says.
 * Spec: gitattributes(5), "export-subst"; git-log(1), "PRETTY FORMATS". Placeholders that are not known here stay as they
 * are, as git leaves those it does not know.
 *
 * @module
 */
import { decodeLatin1, encodeLatin1 } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';
import { type CommitText, type DateStyle, formatDate, type Person } from './commit-text.ts';

/** A commit and what others call it. */
export interface FormatSubject {
  readonly id: ObjectId;
  readonly commit: CommitText;
  /** The shortest unambiguous form of an id. */
  abbreviate(id: ObjectId): string;
  /** `HEAD -> main`, `tag: v1.0`, …: of refs that hold the commit. */
  readonly refNames: readonly string[];
}

/** What a file may grow to. */
const MAX_EXPANDED_CHARACTERS = 16 * 1024 * 1024;
/** How many placeholders of one file are filled in, all its formats together: nobody else is served meanwhile. */
const MAX_PLACEHOLDERS = 100_000;
const OPENING = '$Format:';

/** @throws {GitError} LIMIT_EXCEEDED */
export function expandFormats(content: Uint8Array, subject: FormatSubject): Uint8Array {
  const text = decodeLatin1(content);
  const filling = new Filling(subject, text.length);
  let expanded = '';
  let at = 0;
  for (;;) {
    const start = text.indexOf(OPENING, at);
    const end = start < 0 ? -1 : text.indexOf('$', start + OPENING.length);
    if (end < 0) return encodeLatin1(expanded + text.slice(at));
    expanded += text.slice(at, start) + formatCommit(text.slice(start + OPENING.length, end), filling);
    at = end + 1;
  }
}

/** What has been filled into one file, and is known of its commit. */
class Filling {
  readonly #subject: FormatSubject;
  readonly #values = new Map<string, string | undefined>();
  #characters: number;
  #placeholders = 0;

  constructor(subject: FormatSubject, characters: number) {
    this.#subject = subject;
    this.#characters = characters;
  }

  /** @throws {GitError} LIMIT_EXCEEDED before the file has become too large */
  valueOf(name: string): string | undefined {
    if (++this.#placeholders > MAX_PLACEHOLDERS) throw tooMuch(MAX_PLACEHOLDERS, 'placeholders');
    if (!this.#values.has(name)) this.#values.set(name, placeholderValue(name, this.#subject));
    const value = this.#values.get(name);
    this.#characters += value?.length ?? 0;
    if (this.#characters > MAX_EXPANDED_CHARACTERS) throw tooMuch(MAX_EXPANDED_CHARACTERS, 'bytes');
    return value;
  }
}

function tooMuch(limit: number, unit: string): GitError {
  return new GitError('LIMIT_EXCEEDED', `files with formats of more than ${limit} ${unit} are not archived`, {
    limit,
  });
}

/** Tried at each percent sign, the longest names first. */
const PLACEHOLDER = /%(?:x[0-9A-Fa-f]{2}|[ac][a-zA-Z]|[+ -]?[a-zA-Z%])/g;

/**
 * One after another, so that too many are noticed: replace() would look for all of them first.
 *
 * @param format a character a byte, as the result is
 */
function formatCommit(format: string, filling: Filling): string {
  let filled = '';
  let at = 0;
  for (const { 0: whole, index } of format.matchAll(PLACEHOLDER)) {
    filled += format.slice(at, index) + placeholderText(whole, filling);
    at = index + whole.length;
  }
  return filled + format.slice(at);
}

function placeholderText(whole: string, filling: Filling): string {
  const [, modifier = '', name = ''] = /^%([+ -]?)(.+)$/s.exec(whole) ?? [];
  const value = filling.valueOf(name);
  if (value === undefined) return whole;
  if (modifier === '' || value === '') return value;
  return modifier === '+' ? `\n${value}` : modifier === ' ' ? ` ${value}` : value;
}

function placeholderValue(name: string, subject: FormatSubject): string | undefined {
  const { id, commit, refNames } = subject;
  if (name.length === 3 && name.startsWith('x'))
    return String.fromCharCode(Number.parseInt(name.slice(1), 16));
  if (name.length === 2) return personValue(name[0] === 'a' ? commit.author : commit.committer, name[1]);
  const short = (one: ObjectId): string => subject.abbreviate(one);
  switch (name) {
    case '%':
      return '%';
    case 'n':
      return '\n';
    case 'm':
      return '>';
    case 'H':
      return id;
    case 'h':
      return short(id);
    case 'T':
      return commit.treeId;
    case 't':
      return short(commit.treeId);
    case 'P':
      return commit.parentIds.join(' ');
    case 'p':
      return commit.parentIds.map(short).join(' ');
    case 'e':
      return commit.encoding;
    case 's':
      return subjectOf(commit.message);
    case 'f':
      return fileNameOf(subjectOf(commit.message));
    case 'b':
      return bodyOf(commit.message);
    case 'B':
      return commit.message;
    case 'D':
      return refNames.join(', ');
    case 'd':
      return refNames.length === 0 ? '' : ` (${refNames.join(', ')})`;
    default:
      return undefined;
  }
}

const DATE_STYLES: ReadonlyMap<string, DateStyle> = new Map([
  ['d', 'normal'],
  ['D', 'rfc2822'],
  ['i', 'iso'],
  ['I', 'iso-strict'],
  ['s', 'short'],
]);

/** Mailmaps are not read: the names with capital letters say the same. */
function personValue(person: Person, part: string | undefined): string | undefined {
  const style = DATE_STYLES.get(part ?? '');
  if (style !== undefined) return formatDate(person, style);
  switch (part) {
    case 'n':
    case 'N':
      return person.name;
    case 'e':
    case 'E':
      return person.email;
    case 'l':
    case 'L':
      return person.email.split('@')[0];
    case 't':
      return String(person.timeSeconds);
    default:
      return undefined;
  }
}

function paragraphs(message: string): readonly [string, string] {
  const text = message.replace(/^(?:[ \t]*\n)+/, '');
  const end = text.search(/\n[ \t]*\n/);
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + 1).replace(/^(?:[ \t]*\n)+/, '')];
}

function subjectOf(message: string): string {
  return paragraphs(message)[0]
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join(' ');
}

function bodyOf(message: string): string {
  return paragraphs(message)[1];
}

/** A subject as the name of a patch file. */
function fileNameOf(subject: string): string {
  const name = subject.replace(/[^A-Za-z0-9._]+/g, '-').replace(/\.{2,}/g, '.');
  let end = name.length; // not by a pattern: one that ends in `$` is tried from each place again
  while (end > 0 && '.-'.includes(name[end - 1] as string)) end--;
  return name.slice(0, end).replace(/^-+/, '');
}
