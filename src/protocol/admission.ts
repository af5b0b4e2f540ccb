/**
 * The seam at which a server decides whether there is room for a piece of work, and how much of it.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import type { Repository } from '../repository/repository.ts';

/**
 * What is heavy. `clone` is history for somebody who has nothing of it yet, whatever else they say they have; to fetch
 * single trees and blobs, as partial clones do, is `fetch`. Advertisements, ls-refs and rounds of negotiation are not asked for.
 */
export type WorkKind = 'clone' | 'fetch' | 'push' | 'archive';

export interface Work {
  readonly kind: WorkKind;
  readonly repository: Repository;
}

/** Leave to go on. */
export interface Pass {
  /**
   * Told of the bytes of a push's pack as they arrive, before they are stored.
   *
   * @throws {GitError} LIMIT_EXCEEDED to refuse the push; nothing of it is kept
   */
  take?(sizeBytes: number): void;
  /** Called once, when the work is over, however it ended. @param kept whether what was pushed has been published */
  release(kept?: boolean): void;
}

/**
 * Asked once the request is read and before the work is begun: for a push, before its pack is read. May wait.
 *
 * @throws {GitError} OVERLOADED, RATE_LIMITED with `detail.retryAfterSeconds`: HTTP answers 503 or 429 then, other
 * transports an `ERR` packet; LIMIT_EXCEEDED
 */
export type Admit = (work: Work, options: Cancellable) => Promise<Pass>;
