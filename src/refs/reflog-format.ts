/**
 * Reflog lines: `<old> SP <new> SP <name> SP <<email>> SP <seconds> SP <zone> [TAB <message>] LF`.
 * Spec: gitrepository-layout(5), "logs".
 *
 * @module
 */
import { isObjectId, type ObjectFormat, type ObjectId } from '../core/object-id.ts';
import type { Identity, ReflogEntry } from './ref-database.ts';

/** When refs get a log: core.logAllRefUpdates. A log that exists is written to in any case. */
export type LogAllRefUpdates = 'never' | 'branches' | 'always';

const LOGGED_BY_DEFAULT = ['refs/heads/', 'refs/remotes/', 'refs/notes/'];

/** @returns whether a log is begun for a ref that has none */
export function beginsReflog(name: string, setting: LogAllRefUpdates): boolean {
  if (setting === 'always') return true;
  if (setting === 'never') return false;
  return name === 'HEAD' || LOGGED_BY_DEFAULT.some((directory) => name.startsWith(directory));
}

/** `name <email> seconds +zone`, without the characters that would end one of its parts early. */
export function formatIdentity({ name, email, timeSeconds, zoneMinutes }: Identity): string {
  const zone = Math.abs(zoneMinutes);
  const digits = String(Math.floor(zone / 60) * 100 + (zone % 60)).padStart(4, '0');
  return `${identityPart(name)} <${identityPart(email)}> ${timeSeconds} ${zoneMinutes < 0 ? '-' : '+'}${digits}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they would break the line
const BREAKS_IDENTITY = /[<>\u0000-\u001f\u007f]/g;

function identityPart(text: string): string {
  return text.replace(BREAKS_IDENTITY, '').trim();
}

/** One line of a reflog file. White space in the message, line ends included, becomes single spaces. */
export function formatReflogEntry({ oldId, newId, identity, message }: ReflogEntry): string {
  const line = message.replace(/\s+/g, ' ').trim();
  return `${oldId} ${newId} ${identity}${line === '' ? '' : `\t${line}`}\n`;
}

/** The entries of a reflog file, oldest first. Lines that do not parse are passed over, as git does. */
export function parseReflog(text: string, format: ObjectFormat): ReflogEntry[] {
  const entries: ReflogEntry[] = [];
  for (const line of text.split('\n')) {
    const entry = parseLine(line, format.idHexDigits, format);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

const IDENTITY = /^[^<>]*<[^<>]*> \d+ [+-]\d{4}$/;

function parseLine(line: string, digits: number, format: ObjectFormat): ReflogEntry | undefined {
  const tab = line.indexOf('\t');
  const identity = line.slice(2 * digits + 2, tab < 0 ? line.length : tab);
  const oldId: ObjectId = line.slice(0, digits);
  const newId: ObjectId = line.slice(digits + 1, 2 * digits + 1);
  if (line[digits] !== ' ' || line[2 * digits + 1] !== ' ') return undefined;
  if (!isObjectId(oldId, format) || !isObjectId(newId, format) || !IDENTITY.test(identity)) return undefined;
  return { oldId, newId, identity, message: tab < 0 ? '' : line.slice(tab + 1) };
}
