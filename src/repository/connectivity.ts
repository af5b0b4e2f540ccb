/**
 * Whether everything new refs reach is there. The trust is in refs, not in objects: what existing refs
 * reach was checked when they were made; what merely lies in the database may lack what it refers to.
 * Spec: git's `rev-list --objects <new tips> --not --all`, as receive-pack runs it.
 *
 * @module
 */
import type { Cancellable, ProgressListener } from '../core/byte-stream.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/limits.ts';
import { hexToBytes, type ObjectId } from '../core/object-id.ts';
import { BLOB, TAG } from '../core/object-kind.ts';
import { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { CommitTable } from './commit-table.ts';
import { CommitWalk, type MissingObject } from './commit-walk.ts';
import { ObjectWalk } from './object-walk.ts';
import { type PeeledObject, peelObject } from './tag.ts';
import { WalkPermit } from './walk-gate.ts';

export interface ConnectivityOptions extends Cancellable {
  /** Commits whose parents are absent on purpose. */
  readonly shallow?: ReadonlySet<ObjectId> | undefined;
  readonly limits?: Limits | undefined;
  /** `Checking connectivity`, counted in objects. */
  readonly onProgress?: ProgressListener | undefined;
}

export type Connectivity =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly missing: ObjectId;
      readonly missingKind: MissingObject['kind'];
      /** What names it; the missing id itself when it is a new tip. */
      readonly referredBy: ObjectId;
    };

/** Commits of a push looked at before the trusted tips are read: a push rarely has more, a host often has more refs. */
const FEW_COMMITS = 500;

/**
 * Check that every object reached from the new tips, and not from a trusted one, is present.
 * Objects are not hashed again; of blobs only the presence is asked.
 *
 * @throws {GitError} OBJECT_CORRUPT when an object on the way does not parse or is of another kind than
 * its referrer says; LIMIT_EXCEEDED; ABORTED
 */
export async function checkConnectivity(
  reader: ObjectReader,
  newTips: readonly ObjectId[],
  trustedTips: readonly ObjectId[],
  options: ConnectivityOptions = {},
): Promise<Connectivity> {
  const quick = await check(reader, newTips, trustedTips, false, options);
  if (quick !== undefined && quick.missing === undefined) return { ok: true };
  // What is missing may be missing from the trusted history too, which is not this push's fault.
  const { missing } = (await check(reader, newTips, trustedTips, true, options)) ?? {};
  if (missing === undefined) return { ok: true };
  return { ok: false, missing: missing.id, missingKind: missing.kind, referredBy: missing.referredBy };
}

/**
 * @param readTrusted read the trusted tips and their history; else the walk only stops where it meets one
 * @returns `undefined` when trusted tips were not read and the walk became long
 */
async function check(
  reader: ObjectReader,
  newTips: readonly ObjectId[],
  trustedTips: readonly ObjectId[],
  readTrusted: boolean,
  options: ConnectivityOptions,
): Promise<{ readonly missing: MissingObject | undefined } | undefined> {
  const { limits = DEFAULT_LIMITS, onProgress } = options;
  const commits = new CommitTable(reader, limits);
  const history = new CommitWalk(commits);
  const objects = new ObjectWalk(reader, commits, limits, { blobsMustExist: true });
  const report = (finished: boolean): void =>
    onProgress?.({
      title: 'Checking connectivity',
      done: history.visitedCount + objects.found.size,
      finished,
    });
  using permit = new WalkPermit();
  const pace = new Pace(options.signal, () => {
    report(false);
    return permit.admit(history.visitedCount + objects.found.size + objects.boundary.size, options.signal);
  });

  for (const id of options.shallow ?? []) commits.cut(id);
  const trusted = new Set(trustedTips);
  for (const id of trusted) {
    if (readTrusted) await trustObject(peelObject(reader, id), commits, history, objects, pace);
    else history.stopAt(commits.addId(id));
    if (pace.isDue()) await pace.rest();
  }

  const wanted: PeeledObject[] = [];
  for (const id of newTips) {
    if (trusted.has(id)) continue;
    const peeled = peelObject(reader, id);
    if (peeled.kind === undefined) return { missing: missingTip(peeled) };
    if (peeled.kind === 'commit') history.include(commits.addId(peeled.id));
    else wanted.push(peeled);
  }
  const isOver = await history.run(pace, readTrusted ? Number.POSITIVE_INFINITY : FEW_COMMITS);
  if (!isOver) return undefined;
  if (history.missing !== undefined) return { missing: history.missing };

  for (const number of history.edges()) {
    if (!commits.load(number)) continue;
    await objects.markBoundary(commits.treeIds, number * commits.ids.idBytes, pace);
  }
  for (const { id, kind } of wanted) if (kind === 'tree') await objects.walkWanted(id, pace);
  await objects.walkRoots(history.included(), pace);
  if (objects.missing === undefined) report(true);
  return { missing: objects.missing };
}

async function trustObject(
  peeled: PeeledObject,
  commits: CommitTable,
  history: CommitWalk,
  objects: ObjectWalk,
  pace: Pace,
): Promise<void> {
  for (const tagId of peeled.tagIds) objects.boundary.add(hexToBytes(tagId), 0, TAG, 0);
  if (peeled.kind === 'commit') history.exclude(commits.addId(peeled.id));
  else if (peeled.kind === 'tree') await objects.markBoundary(hexToBytes(peeled.id), 0, pace);
  else if (peeled.kind === 'blob') objects.boundary.add(hexToBytes(peeled.id), 0, BLOB, 0);
}

function missingTip(peeled: PeeledObject): MissingObject {
  const referredBy = peeled.tagIds.at(-1) ?? peeled.id;
  return { id: peeled.id, kind: peeled.expectedKind, referredBy };
}
