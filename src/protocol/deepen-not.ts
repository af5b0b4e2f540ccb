/**
 * The refs named by `deepen-not`: short names are looked up by git's rules.
 * Spec: gitrevisions(7), "<refname>".
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';
import { refLookups } from '../refs/ref-lookup.ts';
import { isValidRefName } from '../refs/ref-name.ts';
import { type FetchContext, violation } from './fetch-context.ts';
import { isHiddenRef } from './hidden-refs.ts';

/** @throws {GitError} PROTOCOL_VIOLATION when a name leads to no ref, or to several */
export async function resolveDeepenNot(context: FetchContext, names: readonly string[]): Promise<ObjectId[]> {
  const ids: ObjectId[] = [];
  for (const name of names) {
    const found = await findRefs(context, name);
    if (found.length > 1) throw violation(`upload-pack: ambiguous deepen-not: deepen-not ${name}`);
    if (found.length === 0) throw violation(`upload-pack: deepen-not is not a ref: deepen-not ${name}`);
    ids.push(found[0] as ObjectId);
  }
  return ids;
}

/** What the shown refs of a short or full name hold, the most specific first. */
export async function findRefs({ repository, options }: FetchContext, name: string): Promise<ObjectId[]> {
  const found: ObjectId[] = [];
  for (const fullName of refLookups(name)) {
    if (!isRef(fullName) || isHiddenRef(fullName, options.hiddenRefs)) continue;
    const ref = await repository.refs.resolve(fullName, { signal: options.signal });
    if (ref !== undefined) found.push(ref.id);
  }
  return found;
}

/** Of the names without a slash only HEAD is looked up: the client chose it, and it may be that of any file. */
function isRef(name: string): boolean {
  return name === 'HEAD' || (name.startsWith('refs/') && isValidRefName(name));
}
