/**
 * The rules of a batch of ref updates that do not depend on where refs are stored.
 * Spec: git-update-ref(1); the reasons are those git's receive-pack reports.
 *
 * @module
 */
import { type ErrorCode, GitError, isGitError } from '../core/errors.ts';
import { isObjectId, type ObjectFormat, type ObjectId } from '../core/object-id.ts';
import type { Steps } from '../core/steps.ts';
import type { Identity, RefTarget, RefUpdate, RefUpdateOutcome } from './ref-database.ts';
import { isStorableRefName, MAX_SYMBOLIC_DEPTH } from './ref-name.ts';

/** Why one update cannot be made. */
export interface RefRefusal {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/** An update whose symbolic refs have been followed. */
export interface PlannedUpdate {
  /** Position in the batch as it was given. */
  readonly index: number;
  /** The ref that is written: the end of the chain that starts at the name given. */
  readonly name: string;
  /** Symbolic refs that led to `name`, the name given first. */
  readonly via: readonly string[];
  readonly newId: ObjectId | undefined;
  readonly expected: RefUpdate['expected'];
  /** What the ref holds: when planned, and once it is locked, under its lock. */
  oldId: ObjectId | undefined;
}

/** Looked at in a step. */
const UPDATES_A_STEP = 256;

export const ATOMIC_FAILURE: RefRefusal = { code: 'REF_CONFLICT', reason: 'atomic transaction failed' };

/** A watcher said no. */
export const WATCHER_REFUSAL: RefRefusal = {
  code: 'REF_CONFLICT',
  reason: 'failed to update ref',
  detail: 'ref updates aborted by the reference-transaction hook',
};

const SYMBOLIC_LOOP: RefRefusal = {
  code: 'REF_INVALID',
  reason: 'failed to update ref',
  detail: `unable to resolve reference: more than ${MAX_SYMBOLIC_DEPTH} refs in a row`,
};

/**
 * Follow each update to the ref it writes, and check what can be checked without locks.
 *
 * @param indices which of `updates` to plan
 * @param read the ref as stored; a {@link GitError} it throws refuses the update
 * @param refusals receives, by position, what cannot be done
 * @returns the updates that can go on, those that would change nothing left out
 */
export function* planBatch(
  updates: readonly RefUpdate[],
  indices: readonly number[],
  format: ObjectFormat,
  read: (name: string) => RefTarget | undefined,
  refusals: Map<number, RefRefusal>,
): Steps<PlannedUpdate[]> {
  const plan: PlannedUpdate[] = [];
  for (const [position, index] of indices.entries()) {
    if (position % UPDATES_A_STEP === 0) yield;
    const update = updates[index] as RefUpdate;
    const planned = checkName(update.name) ?? planUpdate(index, update, format, read);
    if ('code' in planned) refusals.set(index, planned);
    else plan.push(planned);
  }
  const together = yield* checkTogether(plan);
  const going: PlannedUpdate[] = [];
  for (const [position, planned] of plan.entries()) {
    if (position % UPDATES_A_STEP === 0) yield;
    const clash = together.get(planned);
    const stale = checkExpected(planned.expected, planned.oldId);
    // Of a ref that is not there that is said, whatever else would be in its way.
    const refusal = planned.oldId === undefined ? (stale ?? clash) : (clash ?? stale);
    if (refusal !== undefined) refusals.set(planned.index, refusal);
    else if (planned.newId !== planned.oldId) going.push(planned);
  }
  return going;
}

function planUpdate(
  index: number,
  { name, newId, expected }: RefUpdate,
  format: ObjectFormat,
  read: (name: string) => RefTarget | undefined,
): PlannedUpdate | RefRefusal {
  try {
    const followed = followSymbolic(name, read);
    if (followed === undefined) return SYMBOLIC_LOOP;
    return {
      index,
      name: followed.chain.at(-1) as string,
      via: followed.chain.slice(0, -1),
      newId: noneIfZero(newId, format),
      expected: noneIfZero(expected, format),
      oldId: followed.id,
    };
  } catch (error) {
    if (!isGitError(error)) throw error;
    return { code: error.code, reason: 'failed to update ref', detail: error.message, cause: error };
  }
}

/** All zeros and `undefined` both say "no object"; plans use `undefined`. */
export function noneIfZero<Id extends ObjectId | undefined>(id: Id, format: ObjectFormat): Id | undefined {
  return id === format.zeroId ? undefined : id;
}

/** @throws {GitError} INVALID_ARGUMENT for an id that is not of `format`: a mistake of the caller */
export function checkIds({ name, newId, expected }: RefUpdate, format: ObjectFormat): void {
  for (const id of [newId, expected]) {
    if (id === undefined || id === 'any' || isObjectId(id, format)) continue;
    throw new GitError('INVALID_ARGUMENT', `Cannot update ${name}: expected a ${format.name} id, got ${id}`);
  }
}

/** @returns why no ref of this name can be stored, if so */
function checkName(name: string): RefRefusal | undefined {
  if (isStorableRefName(name)) return undefined;
  return { code: 'REF_INVALID', reason: 'funny refname', detail: 'refusing to update ref with bad name' };
}

/** @returns why `current` is not what the update expects, if so */
export function checkExpected(
  expected: PlannedUpdate['expected'],
  current: ObjectId | undefined,
): RefRefusal | undefined {
  if (expected === 'any' || expected === current) return undefined;
  if (expected === undefined) {
    return { code: 'REF_CONFLICT', reason: 'reference already exists', detail: `is at ${current}` };
  }
  if (current === undefined) {
    const detail = `reference is missing but expected ${expected}`;
    return { code: 'REF_CONFLICT', reason: 'reference does not exist', detail };
  }
  const detail = `is at ${current} but expected ${expected}`;
  return { code: 'REF_CONFLICT', reason: 'incorrect old value provided', detail };
}

/**
 * Names of one batch that cannot be changed together: given twice, or one the directory of another, which is the fault of
 * those that are new.
 *
 * @returns a refusal at the position of each such update in `plan`
 */
function* checkTogether(plan: readonly PlannedUpdate[]): Steps<Map<PlannedUpdate, RefRefusal>> {
  const refusals = new Map<PlannedUpdate, RefRefusal>();
  const byName = new Map<string, PlannedUpdate>();
  for (const [position, update] of plan.entries()) {
    if (position % UPDATES_A_STEP === 0) yield;
    const other = byName.get(update.name);
    if (other === undefined) {
      byName.set(update.name, update);
      continue;
    }
    const reason = `multiple updates for ref '${update.name}' not allowed`;
    refusals.set(update, { code: 'REF_CONFLICT', reason });
    refusals.set(other, { code: 'REF_CONFLICT', reason });
  }
  const free = new Set<string>(); // directories that are no name of the batch: most updates share theirs
  for (const [position, update] of plan.entries()) {
    if (position % UPDATES_A_STEP === 0) yield;
    const directory = update.name.slice(0, update.name.lastIndexOf('/') + 1);
    if (free.has(directory)) continue;
    let isFree = true;
    for (const parent of parentNames(update.name)) {
      const other = byName.get(parent);
      if (other === undefined) continue;
      isFree = false;
      const refusal = nameConflict(`cannot process '${parent}' and '${update.name}' at the same time`);
      // Of one that exists nothing stands in the way: it is the new one that cannot be.
      if (update.oldId === undefined) refusals.set(update, refusal);
      if (other.oldId === undefined) refusals.set(other, refusal);
    }
    if (isFree) free.add(directory);
  }
  return refusals;
}

/** The refusal for a ref that exists where `name` needs a directory, or the other way round. */
export function existingConflict(existing: string, name: string): RefRefusal {
  return nameConflict(`'${existing}' exists; cannot create '${name}'`);
}

function nameConflict(detail: string): RefRefusal {
  return { code: 'REF_CONFLICT', reason: 'refname conflict', detail };
}

/** `refs/heads`, `refs` for `refs/heads/main`: what `name` needs as directories. */
export function parentNames(name: string): string[] {
  const parents: string[] = [];
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1))
    parents.push(name.slice(0, at));
  return parents;
}

/**
 * Follow symbolic refs from `name`.
 *
 * @returns the names in turn and what the last holds (`undefined`: there is none); `undefined` for a chain that
 * is longer than git follows
 */
export function followSymbolic(
  name: string,
  read: (name: string) => RefTarget | undefined,
): { readonly chain: readonly string[]; readonly id: ObjectId | undefined } | undefined {
  const chain = [name];
  for (let target = read(name); ; target = read(target.target)) {
    if (target?.kind !== 'symbolic') return { chain, id: target?.id };
    if (chain.length === MAX_SYMBOLIC_DEPTH) return undefined;
    chain.push(target.target);
  }
}

/**
 * Put outcomes in the order of `updates`.
 *
 * @param refusals by position in the batch; a position without one succeeded
 */
export function outcomesOf(
  updates: readonly RefUpdate[],
  refusals: ReadonlyMap<number, RefRefusal>,
): RefUpdateOutcome[] {
  return updates.map(({ name }, index) => {
    const refusal = refusals.get(index);
    return refusal === undefined ? { name, ok: true } : { name, ok: false, ...refusal };
  });
}

/** In an atomic batch with a refusal, every update is refused. */
export function refuseAll(updates: readonly RefUpdate[], refusals: Map<number, RefRefusal>): void {
  updates.forEach((_, index) => {
    if (!refusals.has(index)) refusals.set(index, ATOMIC_FAILURE);
  });
}

/** Who writes reflogs when nobody is named. */
export function serverIdentity(): Identity {
  const now = new Date();
  return {
    name: 'packwire',
    email: 'packwire@localhost',
    timeSeconds: Math.floor(now.getTime() / 1000),
    zoneMinutes: -now.getTimezoneOffset(),
  };
}
