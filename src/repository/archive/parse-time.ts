/**
 * Times as users write them for `--mtime`: the formats of commits. What git only guesses from ("yesterday") is refused.
 * Spec: git-commit(1), "DATE FORMATS".
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';

const EPOCH = /^@?(\d{1,12})(?: [+-]\d{4})?$/;
const ISO =
  /^(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/;
const RFC_2822 =
  /^(?:[A-Z][a-z]{2},? )?(?:(\d{1,2}) ([A-Z][a-z]{2})|([A-Z][a-z]{2}) (\d{1,2}))(?: (\d{4}))? (\d{1,2}):(\d{2}):(\d{2})(?: (\d{4}))?(?: ([+-]\d{4}))?$/;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** @returns seconds since 1970. @throws {GitError} UNSUPPORTED */
export function parseTime(text: string): number {
  const seconds = readEpoch(text) ?? readIso(text) ?? readRfc2822(text);
  if (seconds === undefined || !Number.isSafeInteger(seconds) || seconds < 0) {
    throw new GitError('UNSUPPORTED', `Cannot read time '${text.slice(0, 100)}': use 2005-04-07T22:13:13Z`);
  }
  return seconds;
}

function readEpoch(text: string): number | undefined {
  const digits = EPOCH.exec(text)?.[1];
  // Short numbers are years or days to git.
  return digits === undefined || (digits.length < 9 && !text.startsWith('@')) ? undefined : Number(digits);
}

function readIso(text: string): number | undefined {
  const found = ISO.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hours = '0', minutes = '0', seconds = '0', zone] = found;
  return secondsOf([year, String(Number(month) - 1), day, hours, minutes, seconds], zone);
}

function readRfc2822(text: string): number | undefined {
  const found = RFC_2822.exec(text);
  if (found === null) return undefined;
  const month = MONTHS.indexOf((found[2] ?? found[3]) as string) / 3;
  const year = found[5] ?? found[9];
  if (!Number.isInteger(month) || month < 0 || year === undefined) return undefined;
  return secondsOf([year, String(month), found[1] ?? found[4], ...found.slice(6, 9)], found[10]);
}

/** @param fields year, month from 0, day, hours, minutes, seconds; without a zone in that of this process */
function secondsOf(fields: readonly (string | undefined)[], zone: string | undefined): number {
  const [year, month, day, hours, minutes, seconds] = fields.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (zone === undefined) return new Date(year, month, day, hours, minutes, seconds).getTime() / 1000;
  const [, sign = '+', zoneHours = '0', zoneMinutes = '0'] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? [];
  const eastMinutes = (sign === '-' ? -1 : 1) * (Number(zoneHours) * 60 + Number(zoneMinutes));
  return Date.UTC(year, month, day, hours, minutes, seconds) / 1000 - eastMinutes * 60;
}
