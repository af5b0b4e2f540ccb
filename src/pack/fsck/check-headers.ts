/**
 * What commits and tags have in common: header lines that end somewhere, and the line of a person.
 * Spec: git-fsck(1), "FSCK MESSAGES".
 *
 * @module
 */
import type { HeaderCursor } from './header-cursor.ts';
import type { FsckMessageId } from './messages.ts';

/** Told of what is wrong with the object at hand. @returns whether the check of this object ends */
export type Report = (message: FsckMessageId, text: string) => boolean;

const NUL = 0;
const TAB = 9;
const NEWLINE = 10;
const SPACE = 32;
const PLUS = 43;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const LESS = 60;
const GREATER = 62;
/** Digits of 2^63: more seconds than a date can have. */
const MOST_DATE_DIGITS = 19;

/** The header ends in an empty line or, without a body, at least in a newline. @returns whether to go on */
export function checkHeaderEnd(cursor: HeaderCursor, report: Report): boolean {
  const { bytes, at: start, end } = cursor;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === NUL) {
      report('nulInHeader', `unterminated header: NUL at offset ${at - start}`);
      return false;
    }
    if (byte === NEWLINE && at + 1 < end && bytes[at + 1] === NEWLINE) return true;
  }
  if (end > start && bytes[end - 1] === NEWLINE) return true;
  report('unterminatedHeader', 'unterminated header');
  return false;
}

/** Check the rest of an author, committer or tagger line, and step over it. @returns whether the check ends */
export function checkPerson(cursor: HeaderCursor, report: Report): boolean {
  const line = cursor.at;
  const problem = personProblem(cursor);
  cursor.at = line;
  cursor.nextLine();
  return problem !== undefined && report(problem[0], `invalid author/committer line - ${problem[1]}`);
}

function personProblem(cursor: HeaderCursor): readonly [FsckMessageId, string] | undefined {
  if (cursor.peek() === LESS) return ['missingNameBeforeEmail', 'missing space before email'];
  let previous = -1;
  for (let byte = cursor.peek(); byte !== LESS; byte = cursor.peek()) {
    if (byte < 0 || byte === NEWLINE) return ['missingEmail', 'missing email'];
    if (byte === GREATER) return ['badName', 'bad name'];
    previous = byte;
    cursor.at++;
  }
  if (previous !== SPACE) return ['missingSpaceBeforeEmail', 'missing space before email'];
  cursor.at++;
  for (let byte = cursor.peek(); byte !== GREATER; byte = cursor.peek()) {
    if (byte < 0 || byte === NEWLINE || byte === LESS) return ['badEmail', 'bad email'];
    cursor.at++;
  }
  cursor.at++;
  if (cursor.peek() !== SPACE) return ['missingSpaceBeforeDate', 'missing space before date'];
  cursor.at++;
  return dateProblem(cursor);
}

/** More blanks than one have always been let through. */
function dateProblem(cursor: HeaderCursor): readonly [FsckMessageId, string] | undefined {
  while (cursor.peek() === SPACE || cursor.peek() === TAB) cursor.at++;
  if (!isDigit(cursor.peek())) return ['badDate', 'bad date'];
  if (cursor.peek() === ZERO && cursor.peek(1) !== SPACE) return ['zeroPaddedDate', 'zero-padded date'];
  let digits = 0;
  let seconds = 0n;
  for (; isDigit(cursor.peek()); cursor.at++) {
    if (++digits <= MOST_DATE_DIGITS) seconds = seconds * 10n + BigInt(cursor.peek() - ZERO);
  }
  if (digits > MOST_DATE_DIGITS || seconds > 0x7fffffffffffffffn) {
    return ['badDateOverflow', 'date causes integer overflow'];
  }
  if (cursor.peek() !== SPACE) return ['badDate', 'bad date'];
  cursor.at++;
  const sign = cursor.peek();
  const isZone = (sign === PLUS || sign === MINUS) && [1, 2, 3, 4].every((i) => isDigit(cursor.peek(i)));
  return isZone && cursor.peek(5) === NEWLINE ? undefined : ['badTimezone', 'bad time zone'];
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
