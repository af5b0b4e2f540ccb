/**
 * Which updates of a push take something out of a ref.
 *
 * @module
 */
import type { ObjectId } from '../../core/object-id.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { unreachableOf } from '../reachability.ts';
import type { PushSession } from './push-session.ts';
import type { RefCommand } from './ref-command.ts';

type WalkContext = Pick<PushSession, 'repository' | 'limits' | 'signal'>;

/**
 * Whether `oldId` is `newId` or in its history; both are commits.
 *
 * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
 */
export async function isAncestor(
  reader: ObjectReader,
  oldId: ObjectId,
  newId: ObjectId,
  { repository, limits, signal }: WalkContext,
): Promise<boolean> {
  const shallow = await repository.shallowCommits();
  return (await unreachableOf(reader, [oldId], [newId], { shallow, limits, signal })).length === 0;
}

/**
 * Whether a command takes something out of its ref. What is no commit has no history to be in: every change from one or to
 * one does, be it a tag object or a missing one.
 *
 * @throws {GitError} as {@link isAncestor}
 */
export async function isForced(
  { kind, oldId, newId }: RefCommand,
  reader: ObjectReader,
  context: WalkContext,
): Promise<boolean> {
  if (kind !== 'update' || oldId === newId) return false;
  const areCommits = [oldId, newId].every((id) => reader.readHeader(id)?.kind === 'commit');
  return !areCommits || !(await isAncestor(reader, oldId, newId, context));
}
