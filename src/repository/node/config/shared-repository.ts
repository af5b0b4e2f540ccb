/**
 * `core.sharedRepository`, as git reads it.
 * Spec: git-config(1); git-init(1), `--shared`.
 *
 * @module
 */
import { GitError } from '../../../core/errors.ts';
import type { SharedPermissions } from '../../../core/node/shared-permissions.ts';
import { GitConfig } from '../../git-config.ts';

const KEY = 'core.sharedrepository';

const GROUP: SharedPermissions = { bits: 0o660, isExact: false };
const EVERYBODY: SharedPermissions = { bits: 0o664, isExact: false };

/** Names, and the numbers that stood for them once. */
const VALUES: Readonly<Record<string, SharedPermissions | undefined>> = {
  umask: undefined,
  group: GROUP,
  all: EVERYBODY,
  world: EVERYBODY,
  everybody: EVERYBODY,
};
const NUMBERS: readonly (SharedPermissions | undefined)[] = [undefined, GROUP, EVERYBODY];
/** What a file's owner needs. */
const OWNER = 0o600;

/**
 * @returns `undefined` when modes are the umask's
 * @throws {GitError} REPOSITORY_INVALID for a value that is neither a name, a mode nor a boolean
 */
export function sharedPermissions(config: GitConfig): SharedPermissions | undefined {
  const entry = config.entries.findLast(({ name }) => name === KEY);
  if (entry === undefined) return undefined;
  const { value } = entry;
  if (value === undefined) return GROUP;
  if (Object.hasOwn(VALUES, value)) return VALUES[value];
  if (!/^[0-7]*$/.test(value)) return config.getBoolean(KEY) === true ? GROUP : undefined;
  const mode = Number.parseInt(`0${value}`, 8);
  if (mode < NUMBERS.length) return NUMBERS[mode];
  if ((mode & OWNER) === OWNER) return { bits: mode & 0o666, isExact: true };
  throw new GitError(
    'REPOSITORY_INVALID',
    `Cannot read config: core.sharedRepository must let the owner read and write files, got '${value}'`,
  );
}

/** As {@link sharedPermissions}, of a value alone. */
export function parseSharedRepository(value: string): SharedPermissions | undefined {
  return sharedPermissions(new GitConfig([{ name: KEY, value }]));
}

/** How `git init --shared` writes it down. */
export function sharedRepositoryValue({ bits, isExact }: SharedPermissions): string {
  if (isExact) return `0${bits.toString(8)}`;
  return bits === GROUP.bits ? '1' : '2';
}
