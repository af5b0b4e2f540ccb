/**
 * The starting points of a selection by kind, tags peeled.
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';
import type { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { type PeeledObject, peelObject } from './tag.ts';

/** Each id once. Besides the objects asked for, `tags` has those passed on the way to what they point at. */
export interface SortedTips {
  readonly commits: readonly ObjectId[];
  readonly tags: readonly ObjectId[];
  readonly trees: readonly ObjectId[];
  readonly blobs: readonly ObjectId[];
}

/**
 * @param onMissing told of each id at whose end there is nothing
 * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
 */
export async function sortTips(
  reader: ObjectReader,
  ids: Iterable<ObjectId>,
  onMissing: (id: ObjectId, peeled: PeeledObject) => void,
  pace: Pace,
): Promise<SortedTips> {
  const commits = new Set<ObjectId>();
  const tags = new Set<ObjectId>();
  const trees = new Set<ObjectId>();
  const blobs = new Set<ObjectId>();
  for (const id of ids) {
    const peeled = peelObject(reader, id);
    for (const tagId of peeled.tagIds) tags.add(tagId);
    if (peeled.kind === 'commit') commits.add(peeled.id);
    else if (peeled.kind === 'tree') trees.add(peeled.id);
    else if (peeled.kind === 'blob') blobs.add(peeled.id);
    else onMissing(id, peeled);
    if (pace.isDue()) await pace.rest();
  }
  return { commits: [...commits], tags: [...tags], trees: [...trees], blobs: [...blobs] };
}
