/**
 * Which access file a command changes, and what a token or key made by it is good for.
 *
 * @module
 */
import { resolve } from 'node:path';
import { GitError } from '../core/errors.ts';
import type { Scope } from '../server/access/subject.ts';
import type { CredentialRestrictions } from '../server/people/change-people.ts';
import { usageError } from './arguments.ts';
import type { CommandWorld } from './command.ts';
import { configFileOf } from './serve-flags.ts';

export const ACCESS_FILE_OPTIONS = {
  access: { type: 'string' },
  config: { type: 'string' },
} as const;

/** For the help of commands with these options. */
export const ACCESS_FILE_HELP = `
    --access=<file>       the access file; made when it is not there. Without it, PACKWIRE_ACCESS_FILE
    --config=<file>       the configuration file of the server, which names the access file. Without it,
                          PACKWIRE_CONFIG`;

export const CREDENTIAL_OPTIONS = {
  scope: { type: 'string' },
  repositories: { type: 'string', multiple: true },
  expires: { type: 'string' },
  comment: { type: 'string' },
} as const;

export const CREDENTIAL_HELP = `
    --scope=<scope>       read, write or admin: of what its owner may do, only this much
    --repositories=<patterns>
                          only these, with commas between: 'team/app', 'team/*' or 'team/**'; may be given more
                          than once
    --expires=<when>      after a time (12h, 90d, 2w) or at a date (2027-01-31, 2027-01-31T12:00:00Z)
    --comment=<text>      shown by list`;

interface AccessFileValues {
  readonly access?: string | undefined;
  readonly config?: string | undefined;
}

/** @returns its absolute path. @throws {GitError} a usage error when nothing names one; INVALID_ARGUMENT */
export async function locateAccessFile(
  { access, config }: AccessFileValues,
  { environment, directory }: CommandWorld,
): Promise<string> {
  const named = access ?? (config === undefined ? environment.PACKWIRE_ACCESS_FILE : undefined);
  if (access === '') throw usageError("Option '--access' wants a file");
  if (named !== undefined && named !== '') return resolve(directory, named);
  const file = configFileOf(config, environment);
  if (file === undefined) throw usageError('Which access file? Give --access=<file> or --config=<file>');
  const { readSettings } = await import('../server/config/load-config.ts');
  const { formatProblem, hasErrors } = await import('../server/config/problem.ts');
  const { config: found, problems } = await readSettings({ file, environment: {}, directory });
  if (found?.access.file !== undefined) return found.access.file;
  if (!hasErrors(problems)) throw usageError(`'${file}' names no access file`);
  const lines = problems.map((problem) => `\n  ${formatProblem(problem)}`).join('');
  throw new GitError('INVALID_ARGUMENT', `Cannot use this configuration:${lines}`);
}

interface CredentialValues {
  readonly scope?: string | undefined;
  readonly repositories?: readonly string[] | undefined;
  readonly expires?: string | undefined;
  readonly comment?: string | undefined;
}

const SCOPES: readonly string[] = ['read', 'write', 'admin'] satisfies Scope[];

/** @param now milliseconds since the epoch. @throws {GitError} a usage error */
export function readRestrictions(
  { scope, repositories, expires, comment }: CredentialValues,
  now: number,
): CredentialRestrictions {
  if (scope !== undefined && !SCOPES.includes(scope)) {
    throw usageError(`Option '--scope' wants read, write or admin, got '${scope}'`);
  }
  const patterns = repositories?.flatMap((text) => text.split(',').map((pattern) => pattern.trim()));
  return {
    ...(scope === undefined ? {} : { scope: scope as Scope }),
    ...(patterns === undefined ? {} : { repositories: patterns }),
    ...(expires === undefined ? {} : { expiresAt: readExpiry(expires, now) }),
    createdAt: isoTime(now),
    ...(comment === undefined ? {} : { comment }),
  };
}

const HOUR = 3_600_000;
const UNITS: Readonly<Record<string, number>> = { h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR };
const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/;
/** As far as calendars go: four digits. */
const LAST_TIME = Date.UTC(9999, 11, 31);

function readExpiry(text: string, now: number): string {
  const [, digits, unit = ''] = /^(\d{1,6})([hdw])$/.exec(text) ?? [];
  const at = digits === undefined ? dateOf(text) : now + Number(digits) * (UNITS[unit] as number);
  if (!(at <= LAST_TIME)) {
    throw usageError(
      `Option '--expires' wants a time such as 12h, 90d or 2w, or a date such as 2027-01-31, got '${text}'`,
    );
  }
  if (at <= now) throw usageError(`Option '--expires' wants a time to come, got '${text}'`);
  return isoTime(at);
}

function dateOf(text: string): number {
  return DATE.test(text) ? Date.parse(text) : Number.NaN;
}

/** To the second. */
function isoTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
