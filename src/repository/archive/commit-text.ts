/**
 * What a commit says in words: its people, dates and message.
 * Spec: git-commit-tree(1); git-log(1), "PRETTY FORMATS", for how dates are written.
 *
 * @module
 */
import { decodeLatin1 } from '../../core/bytes.ts';

export interface Person {
  readonly name: string;
  readonly email: string;
  /** Seconds since 1970. */
  readonly timeSeconds: number;
  /** As written: `+0200`. */
  readonly zone: string;
}

/** A character a byte in all texts. */
export interface CommitText {
  readonly treeId: string;
  readonly parentIds: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  readonly encoding: string;
  /** All behind the empty line. */
  readonly message: string;
}

const NOBODY: Person = { name: '', email: '', timeSeconds: 0, zone: '+0000' };

export function parseCommitText(data: Uint8Array): CommitText {
  const text = decodeLatin1(data);
  const headEnd = text.indexOf('\n\n');
  const lines = text.slice(0, headEnd < 0 ? text.length : headEnd).split('\n');
  const of = (key: string): string[] =>
    lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  return {
    treeId: of('tree')[0] ?? '',
    parentIds: of('parent'),
    author: parsePerson(of('author')[0]),
    committer: parsePerson(of('committer')[0]),
    encoding: of('encoding')[0] ?? '',
    message: headEnd < 0 ? '' : text.slice(headEnd + 2),
  };
}

function parsePerson(line: string | undefined): Person {
  const [, name = '', email = '', seconds, zone = '+0000'] =
    /^([^<]*)<([^>]*)>(?:.*> ?)?\s*(\d+)(?: ([+-]\d{4}))?/.exec(line ?? '') ?? [];
  if (seconds === undefined) return NOBODY;
  return { name: name.trim(), email: email.trim(), timeSeconds: Number(seconds), zone };
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export type DateStyle = 'normal' | 'rfc2822' | 'iso' | 'iso-strict' | 'short';

/** A person's date in their own time zone. */
export function formatDate({ timeSeconds, zone }: Person, style: DateStyle): string {
  const sign = zone.startsWith('-') ? -1 : 1;
  const minutes = sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3)));
  const date = new Date((timeSeconds + minutes * 60) * 1000);
  if (Number.isNaN(date.getTime())) return '';
  const [day, time] = [date.toISOString().slice(0, 10), date.toISOString().slice(11, 19)];
  const weekday = DAYS[date.getUTCDay()];
  const month = MONTHS[date.getUTCMonth()];
  const monthDay = date.getUTCDate();
  const year = date.getUTCFullYear();
  switch (style) {
    case 'normal':
      return `${weekday} ${month} ${monthDay} ${time} ${year} ${zone}`;
    case 'rfc2822':
      return `${weekday}, ${monthDay} ${month} ${year} ${time} ${zone}`;
    case 'iso':
      return `${day} ${time} ${zone}`;
    case 'iso-strict':
      return `${day}T${time}${minutes === 0 ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3)}`}`;
    case 'short':
      return day;
  }
}
