/**
 * Whether and how pushed objects are checked, as the repository's configuration says.
 * Spec: git-config(1), `receive.fsckObjects`, `transfer.fsckObjects`, `receive.fsck.<msg-id>`, `receive.fsck.skipList`.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { isObjectId, type ObjectFormat, type ObjectId } from '../../core/object-id.ts';
import { fsckMessageId } from '../../pack/fsck/messages.ts';
import { type FsckRules, fsckRules } from '../../pack/fsck/rules.ts';
import type { Repository } from '../repository.ts';

const RULE = 'receive.fsck.';
const SKIP_LIST = 'receive.fsck.skiplist';

/**
 * The rules for a push into `repository`; `undefined` when its objects are not to be checked. A setting for a message
 * that is not known, of a later git perhaps, is passed over as git does, with a warning.
 *
 * @param isAsked the application's own wish; a repository can ask for the check, and not do without one that is wished
 * @param warn receives sentences in git's words
 * @throws {GitError} INVALID_ARGUMENT for a severity that makes no sense, and for a skip list that cannot be read
 */
export async function configuredFsckRules(
  { config, format, readTextFile }: Repository,
  isAsked: boolean | undefined,
  warn?: ((text: string) => void) | undefined,
): Promise<FsckRules | undefined> {
  const isConfigured =
    config?.getBoolean('receive.fsckObjects') ?? config?.getBoolean('transfer.fsckObjects') ?? false;
  if (isAsked !== true && !isConfigured) return undefined;
  const settings: [string, string][] = [];
  for (const { name, value } of config?.entries ?? []) {
    if (!name.startsWith(RULE) || name === SKIP_LIST) continue;
    const message = name.slice(RULE.length);
    if (fsckMessageId(message) === undefined) warn?.(`skipping unknown msg id '${message}'`);
    else settings.push([message, value ?? '']);
  }
  const skipped = new Set<ObjectId>();
  for (const path of config?.getAll(SKIP_LIST) ?? []) {
    const text = await readTextFile?.(path);
    if (text === undefined) throw unreadable(`could not open object name list: ${path}`);
    for (const id of parseSkipList(text, format)) skipped.add(id);
  }
  return fsckRules(settings, skipped);
}

/** One id a line; what follows a `#` is comment. */
function parseSkipList(text: string, format: ObjectFormat): ObjectId[] {
  const ids: ObjectId[] = [];
  for (const line of text.split('\n')) {
    const name = line.replace(/#.*/, '').trim();
    if (name === '') continue;
    if (!isObjectId(name, format)) throw unreadable(`invalid object name: ${name}`);
    ids.push(name);
  }
  return ids;
}

function unreadable(why: string): GitError {
  return new GitError('INVALID_ARGUMENT', `Cannot set up fsck: ${why}`);
}
