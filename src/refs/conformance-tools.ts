/**
 * What a conformance case is given.
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';
import type { RefDatabase } from './ref-database.ts';

export interface ConformanceTools {
  /**
   * An empty database of its own for the case: no refs but a HEAD that points at `refs/heads/main`, and logs
   * for HEAD and branches (core.logAllRefUpdates=true).
   */
  open(): Promise<RefDatabase>;
  /** Throws when the two differ in structure, as `deepEqual` of node:assert/strict. */
  equal(actual: unknown, expected: unknown, message?: string): void;
  /** Where the random case starts; the same seed gives the same batches. */
  readonly seed: number;
}

/** An id of the database's format, the `n`th of many. */
export function sampleId({ format }: RefDatabase, n: number): ObjectId {
  return (n + 1).toString(16).padStart(format.idHexDigits, '0');
}
