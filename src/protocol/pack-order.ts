/**
 * A pack as a fetch asks for it.
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';
import type { ObjectFilter } from '../repository/object-filter.ts';
import type { ShallowDecision } from './shallow-info.ts';

/** What the pack is to hold, and how the client takes it. */
export interface PackOrder {
  readonly wants: readonly ObjectId[];
  /** What both have. */
  readonly haves: readonly ObjectId[];
  readonly shallow: ShallowDecision;
  readonly filter: ObjectFilter | undefined;
  readonly thinPack: boolean;
  readonly ofsDelta: boolean;
  readonly includeTag: boolean;
  readonly noProgress: boolean;
  readonly elsewhere?: Elsewhere | undefined;
}

/** Objects that the client can get elsewhere. The answer is in bands from its start. */
interface Elsewhere {
  readonly ids: readonly ObjectId[];
  /** What is sent in front of the pack, once it is known which of them are left out of it. */
  announce(leftOut: readonly ObjectId[]): Uint8Array;
}
