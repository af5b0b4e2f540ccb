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
const OPENING = '$Format:';

/** @throws {GitError} LIMIT_EXCEEDED */
export function expandFormats(content: Uint8Array, subject: FormatSubject): Uint8Array {
  const text = decodeLatin1(content);
  let expanded = '';
  let at = 0;
  for (;;) {
    const start = text.indexOf(OPENING, at);
    const end = start < 0 ? -1 : text.indexOf('$', start + OPENING.length);
    if (end < 0) return encodeLatin1(expanded + text.slice(at));
    expanded += text.slice(at, start) + formatCommit(text.slice(start + OPENING.length, end), subject);
    at = end + 1;
    if (expanded.length > MAX_EXPANDED_CHARACTERS) {
      const limit = MAX_EXPANDED_CHARACTERS;
      throw new GitError('LIMIT_EXCEEDED', `files that grow beyond ${limit} bytes are not archived`, {
        limit,
      });
    }
  }
}

/** Tried at each percent sign, the longest names first. */
const PLACEHOLDER = /%(?:x[0-9A-Fa-f]{2}|[ac][a-zA-Z]|[+ -]?[a-zA-Z%])/g;

/** @param format a character a byte, as the result is */
function formatCommit(format: string, subject: FormatSubject): string {
  return format.replace(PLACEHOLDER, (whole) => {
    const [, modifier = '', name = ''] = /^%([+ -]?)(.+)$/s.exec(whole) ?? [];
    const value = placeholderValue(name, subject);
    if (value === undefined) return whole;
    if (modifier === '' || value === '') return value;
    return modifier === '+' ? `\n${value}` : modifier === ' ' ? ` ${value}` : value;
  });
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
  return subject
    .replace(/[^A-Za-z0-9._]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^-+|[.-]+$/g, '');
}
