/**
 * Hidden refs are not only left out of the advertisement: a client that knows their names cannot change them.
 * Spec: git-config(1), `receive.hideRefs`.
 *
 * @module
 */
import { type RefUpdateAuthorizer, reject } from '../../repository/push/hooks.ts';
import { isHiddenRef } from '../hidden-refs.ts';

/** An authorizer that refuses hidden refs and leaves the others to `next`. */
export function denyHiddenRefs(
  hiddenRefs: readonly string[] = [],
  next: RefUpdateAuthorizer | undefined,
): RefUpdateAuthorizer | undefined {
  if (hiddenRefs.length === 0) return next;
  return (command, push) => {
    if (!isHiddenRef(command.name, hiddenRefs)) return next?.(command, push);
    return reject(`deny ${command.kind === 'delete' ? 'deleting' : 'updating'} a hidden ref`);
  };
}
