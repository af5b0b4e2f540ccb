/**
 * Annotated tags: what they point at, and following them to their end.
 * Spec: git-mktag(1).
 *
 * @module
 */
import { decodeLatin1 } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import { isObjectId, type ObjectFormat, type ObjectId } from '../core/object-id.ts';
import { isObjectKind, type ObjectKind } from '../core/object-kind.ts';
import type { ObjectReader } from '../odb/object-database.ts';

/** Tags of tags followed before giving up; git has no bound, people hardly ever make two. */
const MAX_TAG_CHAIN = 1000;

export interface TagTarget {
  readonly targetId: ObjectId;
  readonly targetKind: ObjectKind;
}

/**
 * The first two lines of a tag's content.
 *
 * @throws {GitError} OBJECT_CORRUPT
 */
export function parseTag(data: Uint8Array, format: ObjectFormat): TagTarget {
  const digits = format.idHexDigits;
  const text = decodeLatin1(data, 0, Math.min(data.length, digits + 32));
  const [objectLine = '', typeLine = ''] = text.split('\n', 2);
  const targetId = objectLine.slice('object '.length);
  const targetKind = typeLine.slice('type '.length);
  if (
    !objectLine.startsWith('object ') ||
    !typeLine.startsWith('type ') ||
    !isObjectId(targetId, format) ||
    !isObjectKind(targetKind)
  ) {
    throw new GitError('OBJECT_CORRUPT', 'Cannot read tag: expected an object line and a type line');
  }
  return { targetId, targetKind };
}

/** An object, and the tags passed on the way to it. */
export interface PeeledObject {
  /** Outermost first; empty when the object asked for was no tag. */
  readonly tagIds: readonly ObjectId[];
  /** The id the last tag points at, or the id asked for. */
  readonly id: ObjectId;
  /** Absent when the object at the end of the chain is missing. */
  readonly kind?: ObjectKind | undefined;
  /** What the last tag says it points at; `commit` when there was none. For messages. */
  readonly expectedKind: ObjectKind;
}

/**
 * Follow tags from `id` to what is no tag. Of the object at the end only the header is read.
 *
 * @throws {GitError} OBJECT_CORRUPT for a malformed tag, LIMIT_EXCEEDED for an endless chain
 */
export function peelObject(reader: ObjectReader, id: ObjectId): PeeledObject {
  const tagIds: ObjectId[] = [];
  let at = id;
  let expectedKind: ObjectKind = 'commit';
  while (true) {
    const kind = reader.readHeader(at)?.kind;
    if (kind !== 'tag') return { tagIds, id: at, kind, expectedKind };
    const tag = reader.read(at);
    if (tag === undefined) return { tagIds, id: at, expectedKind };
    if (tagIds.length === MAX_TAG_CHAIN) {
      throw new GitError('LIMIT_EXCEEDED', `Cannot peel tag: more than ${MAX_TAG_CHAIN} in a chain`, { id });
    }
    tagIds.push(at);
    const target = parseTag(tag.data, reader.format);
    at = target.targetId;
    expectedKind = target.targetKind;
  }
}
