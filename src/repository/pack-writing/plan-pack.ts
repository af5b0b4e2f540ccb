/**
 * From the objects to be sent to what the pack writer goes by: everything that takes tables of all objects happens
 * here, before the first byte is sent.
 *
 * @module
 */
import type { Cancellable, ProgressListener } from '../../core/byte-stream.ts';
import { GitError, throwIfAborted } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { MAX_PACK_OBJECTS } from '../../pack/pack-header.ts';
import type { ObjectSelection } from '../object-selection.ts';
import { mostHeldBytes, searchDeltas } from './delta-search.ts';
import type { MadeDeltas } from './made-deltas.ts';
import { planEntries } from './plan.ts';
import { planCopies } from './plan-copies.ts';
import { planOfCopies, planWholePack } from './whole-pack.ts';
import { makeWritePlan, type WritePlan } from './write-plan.ts';

export interface PackPlanningOptions extends Cancellable {
  readonly limits: Limits;
  /** Allow deltas against what `selection.receiverHas` without sending the base. */
  readonly thin: boolean;
  /** The receiver reads OFS_DELTA entries. */
  readonly ofsDelta: boolean;
  /** What earlier searches in this database have found; added to. */
  readonly madeDeltas?: MadeDeltas | undefined;
  /** Told of `Compressing objects`, when there is anything to compress. */
  readonly onProgress?: ProgressListener | undefined;
}

/**
 * Find the stored bytes of the selected objects, and deltas for those that have none that can be sent.
 *
 * Memory: some 40 bytes a listed object and a delta window of 48 MiB at most while it runs; what it returns is small and
 * does not refer to the selection, which the caller should let go of.
 *
 * @throws {GitError} OBJECT_MISSING with `detail.id`; PACK_CORRUPT, OBJECT_CORRUPT, STORAGE_FAILED, LIMIT_EXCEEDED,
 * ABORTED
 */
export async function planPack(
  reader: ObjectReader,
  selection: ObjectSelection,
  options: PackPlanningOptions,
): Promise<WritePlan> {
  const { limits, signal, onProgress } = options;
  throwIfAborted(signal);
  const stored = selection.stored ?? [];
  const count = stored.reduce((sum, part) => sum + part.count, selection.count);
  if (count > MAX_PACK_OBJECTS) {
    throw new GitError(
      'LIMIT_EXCEEDED',
      `Cannot write pack: a pack holds at most ${MAX_PACK_OBJECTS} objects`,
    );
  }
  const pace = new Pace(signal);
  if (stored.length === 0 && options.ofsDelta) {
    const whole = await planWholePack(reader, selection, pace);
    if (whole !== undefined) return whole;
  }

  const { thin, ofsDelta } = options;
  const mostObjects = limits.maxPackObjects;
  const { copied, rest } = await planCopies(reader, selection, { thin, ofsDelta, mostObjects }, pace);
  if (rest.count === 0) return planOfCopies(reader, copied);
  const plan = await planEntries(reader, rest, copied, options, pace);
  const { madeDeltas } = options;
  const search = { thin, mostBytes: mostHeldBytes(limits), madeDeltas, onProgress };
  const found = await searchDeltas(reader, rest, plan, search, pace);
  return makeWritePlan(reader, rest, plan, { ...found, madeDeltas }, pace);
}
