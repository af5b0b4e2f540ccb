/**
 * A pack that has been chosen and planned: what several clients can write from, each for itself.
 *
 * @module
 */
import type { ProgressListener } from '../../core/byte-stream.ts';
import type { ObjectId } from '../../core/object-id.ts';
import { LARGE_WORK_OBJECTS } from '../../core/runtime.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { leaveOut } from '../leave-out.ts';
import { madeDeltasOf } from '../pack-writing/made-deltas.ts';
import { planPack } from '../pack-writing/plan-pack.ts';
import type { WritePlan } from '../pack-writing/write-plan.ts';
import type { Repository } from '../repository.ts';
import { selectObjects } from '../select-objects.ts';
import { changedObjectsOf } from '../tree-changes/changed-objects.ts';
import { WalkPermit } from '../walk-gate.ts';
import type { AnswerOptions, PackRequest } from './answer-key.ts';

export interface PlannedPack {
  /** The snapshot the plan was made with; whoever holds the plan releases it. */
  readonly reader: ObjectReader;
  readonly plan: WritePlan;
  /** Of the request's `leaveOut`, what would have been sent. */
  readonly leftOut: readonly ObjectId[];
}

export interface PlanningContext {
  readonly onProgress: ProgressListener;
  readonly signal: AbortSignal;
}

/**
 * The selection lives and dies in here, and a large one holds its place among the large walks as long.
 *
 * @throws {GitError} what selecting and planning throw
 */
export async function choosePack(
  { objects, runtime }: Pick<Repository, 'objects' | 'runtime'>,
  request: PackRequest,
  { limits, ofsDelta }: AnswerOptions,
  { onProgress, signal }: PlanningContext,
): Promise<PlannedPack> {
  const reader = await objects.openReader({ signal });
  try {
    const { plan, leftOut } = await planOf(
      objects,
      reader,
      request,
      { limits, ofsDelta },
      { onProgress, signal },
    );
    // A slow client may take hours from here; what the selection held should not stay as long.
    if (plan.count >= LARGE_WORK_OBJECTS) runtime.collectGarbage?.();
    return { reader, plan, leftOut };
  } catch (error) {
    reader.release();
    throw error;
  }
}

async function planOf(
  objects: Repository['objects'],
  reader: ObjectReader,
  request: PackRequest,
  { limits, ofsDelta }: AnswerOptions,
  { onProgress, signal }: PlanningContext,
): Promise<Omit<PlannedPack, 'reader'>> {
  using permit = new WalkPermit();
  const changedObjects = changedObjectsOf(objects);
  const selecting = { limits, onProgress, signal, permit, changedObjects };
  const selected = await selectObjects(reader, request, selecting);
  const { selection, leftOut } = leaveOut(reader, selected, request.leaveOut ?? []);
  const { thin } = request;
  const madeDeltas = madeDeltasOf(objects);
  const planning = { limits, thin, ofsDelta, madeDeltas, signal, onProgress };
  return { plan: await planPack(reader, selection, planning), leftOut };
}

/** Bytes that a plan holds. */
export function planBytes(plan: WritePlan): number {
  const { offsets, actions, bases, looseIds, outside, encodedSlots, encodedSizes, deltas, copied } = plan;
  let bytes = deltas.sizeBytes;
  const tables = [offsets, actions, bases, looseIds, encodedSlots, encodedSizes];
  for (const table of [...tables, outside.packs, outside.offsets, outside.ids]) bytes += table.byteLength;
  for (const { entries } of copied) bytes += Math.ceil((entries?.size ?? 0) / 8);
  return bytes;
}
