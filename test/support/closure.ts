/**
 * What objects reach, the slow and obvious way: the yardstick for walks.
 *
 * @module
 */
import { bytesToHex, type ObjectId } from '../../src/core/object-id.ts';
import type { RawObject } from '../../src/odb/object-database.ts';

/** Ids a SHA-1 object names; gitlinks are not followed. Parents of shallow commits are left out. */
export function linksOf(id: ObjectId, { kind, data }: RawObject, shallow: ReadonlySet<ObjectId>): ObjectId[] {
  if (kind === 'blob') return [];
  if (kind === 'tree') return treeLinks(data);
  const header = Buffer.from(data).toString('latin1').split('\n\n', 1)[0] ?? '';
  const links: ObjectId[] = [];
  for (const line of header.split('\n')) {
    const [key, target = ''] = line.split(' ');
    const isLink =
      kind === 'tag' ? key === 'object' : key === 'tree' || (key === 'parent' && !shallow.has(id));
    if (isLink) links.push(target);
  }
  return links;
}

/** Everything reached from `tips`, themselves included. Ids that are missing are included and lead nowhere. */
export function closureOf(
  objects: ReadonlyMap<ObjectId, RawObject>,
  tips: readonly ObjectId[],
  shallow: ReadonlySet<ObjectId> = new Set(),
): Set<ObjectId> {
  const reached = new Set<ObjectId>();
  const pending = [...tips];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    const object = objects.get(id);
    if (object !== undefined) pending.push(...linksOf(id, object, shallow));
  }
  return reached;
}

function treeLinks(data: Uint8Array): ObjectId[] {
  const links: ObjectId[] = [];
  for (let at = 0; at < data.length; ) {
    const idAt = data.indexOf(0, at) + 1;
    const isGitlink = Buffer.from(data.subarray(at, at + 6)).toString('latin1') === '160000';
    if (!isGitlink) links.push(bytesToHex(data, idAt, 20));
    at = idAt + 20;
  }
  return links;
}
