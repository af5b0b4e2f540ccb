/**
 * What tags finally point at. A chain of tags is followed once, whatever number of refs lead into it.
 *
 * @module
 */
import { isGitError } from '../core/errors.ts';
import type { ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { parseTag, type TagTarget } from '../repository/tag.ts';

/** Remembers every tag it has seen; belongs to one reader. */
export class TagPeeler {
  readonly #reader: ObjectReader;
  /** Of each tag met: the object at the end of its chain, `undefined` when the chain is broken. */
  readonly #ends = new Map<ObjectId, ObjectId | undefined>();

  constructor(reader: ObjectReader) {
    this.#reader = reader;
  }

  /**
   * @returns the object at the end of the chain of tags that begins at `id`; `undefined` when `id` is no tag,
   * or the chain does not end in an object's name: a broken tag is shown without what it points at
   */
  peel(id: ObjectId): ObjectId | undefined {
    if (!this.#ends.has(id) && this.#reader.readHeader(id)?.kind !== 'tag') return undefined;

    const chain: ObjectId[] = [];
    let end: ObjectId | undefined;
    for (let tag = id; ; ) {
      if (this.#ends.has(tag)) {
        end = this.#ends.get(tag);
        break;
      }
      this.#ends.set(tag, undefined); // a chain that comes back here is broken
      chain.push(tag);
      const target = this.#readTag(tag);
      if (target?.targetKind !== 'tag') {
        end = target?.targetId;
        break;
      }
      tag = target.targetId;
    }
    for (const tag of chain) this.#ends.set(tag, end);
    return end;
  }

  #readTag(id: ObjectId): TagTarget | undefined {
    try {
      const object = this.#reader.read(id);
      return object?.kind === 'tag' ? parseTag(object.data, this.#reader.format) : undefined;
    } catch (error) {
      if (isGitError(error, 'OBJECT_CORRUPT', 'PACK_CORRUPT')) return undefined;
      throw error;
    }
  }
}
