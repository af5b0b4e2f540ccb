/**
 * What following a ref leads to.
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';

/** A ref followed to its id. */
export interface ResolvedRef {
  readonly name: string;
  readonly id: ObjectId;
  /** What a tag object finally points at, when the store knows it (packed-refs `^` lines); else absent. */
  readonly peeled?: ObjectId | undefined;
  /** The ref this one points at directly, when it is symbolic. */
  readonly symbolicTarget?: string | undefined;
}
