/**
 * Where branches of a repository are checked out. Declared here, fulfilled where there are files.
 * Spec: git-worktree(1); git-config(1), "receive.denyCurrentBranch".
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import type { ObjectId } from '../../core/object-id.ts';

export interface CheckoutOptions extends Cancellable {
  /** Told of what the programs that do it print. */
  readonly onOutput: (text: string) => Promise<void>;
  /** Milliseconds for each of them; 0 waits for ever. */
  readonly timeoutMs: number;
}

export interface WorkTree {
  /** Its directory. */
  readonly path: string;
  /** Its own git directory. */
  readonly gitDirectory: string;
  /**
   * Bring files and index to `commit`, unless something of theirs would be lost.
   *
   * @returns why not, in git's words; `undefined` when it is done
   */
  checkOut(commit: ObjectId, options: CheckoutOptions): Promise<string | undefined>;
}

export interface WorkTrees {
  /** By branch, the work trees, the repository's own and linked ones, whose HEAD is at one. */
  branches(): Promise<ReadonlyMap<string, WorkTree>>;
}
