/**
 * Whether a repository is of a kind this library reads, by its config.
 * Spec: gitrepository-layout(5), "Git Repository Format Versions"; git-config(1), "extensions.*".
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { type ObjectFormat, objectFormatByName, SHA1 } from '../core/object-id.ts';
import type { GitConfig } from './git-config.ts';

const NEWEST_VERSION = 1;

/**
 * Extensions that change nothing for us. A partial clone is served as far as its objects are here: none are fetched.
 */
const HARMLESS = [
  'noop',
  'partialclone',
  'preciousobjects',
  'worktreeconfig',
  'noop-v1',
  'relativeworktrees',
  'submodulepathconfig',
];
const OF_VERSION_0 = ['noop', 'preciousobjects', 'worktreeconfig', 'partialclone'];
/** Extensions git knows and we do not support, whatever their value: a push would have to keep a map of both ids. */
const UNSUPPORTED = ['compatobjectformat'];

/**
 * The object format of a repository with this config.
 *
 * @throws {GitError} UNSUPPORTED for a newer version, an unknown extension, refs that are not files, a
 * second object format; REPOSITORY_INVALID when version and extensions contradict each other
 */
export function checkRepositoryFormat(config: GitConfig): ObjectFormat {
  const version = config.getInteger('core.repositoryformatversion') ?? 0;
  if (version < 0 || version > NEWEST_VERSION) {
    const message = `Cannot open repository: format version must be at most ${NEWEST_VERSION}, got ${version}`;
    throw new GitError('UNSUPPORTED', message, { version });
  }
  let format = SHA1;
  for (const { name, value = '' } of config.entries) {
    if (!name.startsWith('extensions.')) continue;
    const extension = name.slice('extensions.'.length);
    if (extension === 'objectformat') format = objectFormatByName(value);
    else checkExtension(extension, value, version);
    if (version === 0 && isOfVersion1(extension)) {
      const message = `Cannot open repository: extension '${extension}' needs format version 1, got 0`;
      throw new GitError('REPOSITORY_INVALID', message, { extension });
    }
  }
  return format;
}

/** What git knows only from version 1 on. Names it does not know at all mean nothing in version 0. */
function isOfVersion1(extension: string): boolean {
  if (OF_VERSION_0.includes(extension)) return false;
  return ['objectformat', 'refstorage', ...HARMLESS, ...UNSUPPORTED].includes(extension);
}

function checkExtension(extension: string, value: string, version: number): void {
  if (HARMLESS.includes(extension) || (extension === 'refstorage' && value === 'files')) return;
  const isKnown = extension === 'refstorage' || UNSUPPORTED.includes(extension);
  if (version === 0 && !isKnown) return;
  const named = isKnown ? `${extension} = ${value}` : `unknown extension '${extension}'`;
  throw new GitError('UNSUPPORTED', `Cannot open repository: ${named}`, { extension });
}
