/**
 * The ref database as everything above it sees it. Implementations: files, memory.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { ObjectFormat, ObjectId } from '../core/object-id.ts';
import type { PackedRefs } from './packed-refs.ts';
import type { ResolvedRef } from './resolved-ref.ts';

export type { ResolvedRef } from './resolved-ref.ts';

/** A ref as stored: an id, or the name of another ref. */
export type RefTarget =
  | { readonly kind: 'direct'; readonly id: ObjectId }
  | { readonly kind: 'symbolic'; readonly target: string };

/** Who and when, for reflogs. */
export interface Identity {
  readonly name: string;
  readonly email: string;
  /** Seconds since 1970, and minutes east of UTC. */
  readonly timeSeconds: number;
  readonly zoneMinutes: number;
}

/** One change, compare-and-swap. A symbolic ref among `name` is followed to the ref it points at. */
export interface RefUpdate {
  readonly name: string;
  /** `undefined` deletes. */
  readonly newId: ObjectId | undefined;
  /** What the ref must hold: an id, `undefined` for "must not exist", or `'any'`. */
  readonly expected: ObjectId | undefined | 'any';
}

export type RefUpdateOutcome =
  | { readonly name: string; readonly ok: true }
  | {
      readonly name: string;
      readonly ok: false;
      /** REF_CONFLICT, REF_INVALID or STORAGE_FAILED; for the update that failed. */
      readonly code: ErrorCode;
      /** A short reason in git's words: `failed to update ref`, `reference already exists`, … */
      readonly reason: string;
      /** The same with names and ids, for logs and the user's terminal: `is at <id> but expected <id>`. */
      readonly detail?: string | undefined;
      /** What the storage threw, for logs only: it may hold paths. */
      readonly cause?: unknown;
    };

export interface RefBatchOptions extends Cancellable {
  /** All or nothing; otherwise each update stands alone. */
  readonly atomic: boolean;
  /** Line for the reflog: `push`. No reflog is written without one. */
  readonly reflogMessage?: string | undefined;
  readonly identity?: Identity | undefined;
  /** A store without hooks, as that in memory, may leave it unasked. */
  readonly watcher?: RefTransactionWatcher | undefined;
}

/**
 * Where a batch stands: about to be locked; locked, with nothing changed yet; done; given up.
 * Spec: githooks(5), "reference-transaction".
 */
type RefTransactionState = 'preparing' | 'prepared' | 'committed' | 'aborted';

/**
 * Told of each state that a batch comes to, with the updates that are still in it. One of all or nothing is one
 * transaction; others are two, deletions first, and what is refused leaves it.
 *
 * @returns false, in the first two states, to have nothing of it done
 */
export type RefTransactionWatcher = (
  state: RefTransactionState,
  updates: readonly RefUpdate[],
) => Promise<boolean>;

/** One line of a reflog, oldest first. */
export interface ReflogEntry {
  readonly oldId: ObjectId;
  readonly newId: ObjectId;
  readonly identity: string;
  readonly message: string;
}

/** A ref as it stands in a {@link RefSnapshot}, symbolic refs followed. */
export interface SnapshotRef {
  readonly name: string;
  /** Absent when it is broken or leads nowhere: nobody is shown it, nor a packed ref of its name. */
  readonly id?: ObjectId | undefined;
  /** As in {@link ResolvedRef}. */
  readonly peeled?: ObjectId | undefined;
  /** The name at the end of the chain of symbolic refs; it need not exist. Absent for a direct ref. */
  readonly finalTarget?: string | undefined;
}

/** The refs of one moment in the two parts they are stored in. Nothing of it ever changes. */
export interface RefSnapshot {
  /** The same object as long as the file is the same, whatever becomes of the others. */
  readonly packed: PackedRefs;
  /** Under `refs/`, by name in byte order; each stands before a packed ref of its name. */
  readonly loose: readonly SnapshotRef[];
  /** `undefined` when there is none. */
  readonly head: SnapshotRef | undefined;
}

export interface RefDatabase {
  readonly format: ObjectFormat;
  /** The ref as stored, `HEAD` included; `undefined` when there is none. */
  read(name: string, options?: Cancellable): Promise<RefTarget | undefined>;
  /** Follow symbolic refs (at most five). `undefined` when missing or dangling (an unborn HEAD). */
  resolve(name: string, options?: Cancellable): Promise<ResolvedRef | undefined>;
  /**
   * Every ref whose name starts with one of `prefixes` (all under `refs/` when none are given), sorted by
   * name in byte order; `HEAD` is not among them. Dangling symbolic refs and broken refs are left out.
   */
  list(prefixes?: readonly string[], options?: Cancellable): Promise<readonly ResolvedRef[]>;
  /**
   * The refs that `prefixes` select, as {@link list} finds them, and `HEAD`, for those who keep what they make of
   * them: it is the same object until one of these has changed. What is not selected may be of an earlier moment.
   *
   * A store without it is listed each time.
   *
   * @throws {GitError} REF_INVALID when `HEAD` or what it leads to is broken
   */
  snapshot?(prefixes?: readonly string[], options?: Cancellable): Promise<RefSnapshot>;
  /**
   * Apply a batch. Outcomes come in the order of `updates`. With `atomic`, one failure fails all: the others
   * say `ok: false` with reason `atomic transaction failed`.
   *
   * A name given twice, or names that conflict as directory and file, fail with REF_CONFLICT.
   */
  update(updates: readonly RefUpdate[], options: RefBatchOptions): Promise<readonly RefUpdateOutcome[]>;
  /** Point a symbolic ref (HEAD) at another name, which need not exist. */
  setSymbolic(name: string, target: string, options?: Cancellable): Promise<void>;
  /** Oldest first; empty when there is none. */
  reflog(name: string, options?: Cancellable): Promise<readonly ReflogEntry[]>;
  close(): Promise<void>;
}
