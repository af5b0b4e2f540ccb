/**
 * What a resolver of deltas is told: plain data over shared memory, so that one in any thread can be.
 *
 * @module
 */
import type { Limits } from '../core/limits.ts';
import type { ObjectFormatName } from '../core/object-id.ts';
import type { ObjectColumns, ObjectTable } from './object-table.ts';
import type { RefBases } from './ref-bases.ts';

/** Arrays are shared memory. */
export interface ResolveJob {
  readonly formatName: ObjectFormatName;
  readonly columns: ObjectColumns;
  /** Of `createResolveControl()`. */
  readonly control: Int32Array;
  readonly limits: Pick<Limits, 'maxDeltaObjectBytes' | 'maxDeltaDepth'>;
  /** Refuse objects that carry a SHA-1 collision attack. */
  readonly collisionDetection: boolean;
  /**
   * `early`: the pack is still arriving, only its families are resolved, and nothing waits for their ids. `late`: only what
   * was late for its family is left, below objects that were made before.
   */
  readonly phase: 'early' | 'main' | 'late';
  readonly objectCount: number;
  readonly refBases: RefBases | undefined;
  /** Where the families of `offerFamilies()` begin; absent when none were offered. */
  readonly familiesStart: number | undefined;
  /** Roots that are taken before all others, in this order. */
  readonly heavyRoots: Int32Array;
  /** Whether much of what is to be made is in large objects: then it is hashed in larger batches. */
  readonly isMuchLarge: boolean;
}

/** What all resolvers of a pack are told alike. */
export type JobTerms = Pick<
  ResolveJob,
  'formatName' | 'columns' | 'control' | 'limits' | 'collisionDetection'
>;

/** The terms for the pack in `table`, as it is now. */
export function jobTerms(
  { format, columns }: ObjectTable,
  control: Int32Array,
  options: { readonly limits: Limits; readonly collisionDetection?: boolean | undefined },
): JobTerms {
  const { maxDeltaObjectBytes, maxDeltaDepth } = options.limits;
  return {
    formatName: format.name,
    columns,
    control,
    limits: { maxDeltaObjectBytes, maxDeltaDepth },
    collisionDetection: options.collisionDetection ?? true,
  };
}
