/**
 * The deltas between an object and the whole object it rests on, while it is being read.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';

/** Links followed from a delta to a whole object; git makes no longer chains. */
const MAX_LINKS = DEFAULT_LIMITS.maxDeltaDepth;

/** Outermost first. One instance serves every read: chains are followed iteratively, one at a time. */
export class DeltaChain {
  /** Where each delta's entry starts. */
  entries = new Float64Array(64);
  /** Where its zlib stream starts, and what that inflates to. */
  streams = new Float64Array(64);
  sizes = new Float64Array(64);

  /**
   * Set link number `depth`, 0 for the object that is read.
   *
   * @throws {GitError} PACK_CORRUPT when the chain comes back to itself; LIMIT_EXCEEDED when it is too long
   */
  set(depth: number, entry: number, stream: number, sizeBytes: number): void {
    if (depth >= MAX_LINKS) throw this.#endless(depth);
    if (depth === this.entries.length) this.#grow();
    this.entries[depth] = entry;
    this.streams[depth] = stream;
    this.sizes[depth] = sizeBytes;
  }

  #grow(): void {
    const length = 2 * this.entries.length;
    for (const column of ['entries', 'streams', 'sizes'] as const) {
      const grown = new Float64Array(length);
      grown.set(this[column]);
      this[column] = grown;
    }
  }

  #endless(depth: number): GitError {
    if (new Set(this.entries.subarray(0, depth)).size < depth) {
      return new GitError('PACK_CORRUPT', 'Cannot follow deltas: they form a cycle');
    }
    return new GitError('LIMIT_EXCEEDED', `Cannot follow deltas: there are more than ${MAX_LINKS}`, {
      limit: MAX_LINKS,
    });
  }
}
