/**
 * What resolving the deltas of an arriving pack takes, before and after it is scanned.
 *
 * @module
 */
import type { Cancellable, ProgressListener } from '../core/byte-stream.ts';
import type { Limits } from '../core/limits.ts';
import type { Runtime } from '../core/runtime.ts';
import type { PackSink } from './pack-sink.ts';
import type { TaskPool } from './task-pool.ts';
import type { ThinBaseSource } from './thin-completion.ts';

export interface ResolveOptions extends Cancellable {
  readonly runtime: Runtime;
  readonly limits: Limits;
  /** Empty; holds the complete pack afterwards. Who made it discards it after an error. */
  readonly sink: PackSink;
  /** Absent: everything runs inline. Threads need a sink with a `path`, and enough deltas to be worth it. */
  readonly tasks?: TaskPool | undefined;
  /** Absent: a base that the pack does not bring is OBJECT_MISSING. */
  readonly thinBases?: ThinBaseSource | undefined;
  readonly onProgress?: ProgressListener | undefined;
  /**
   * Refuse objects that carry a SHA-1 collision attack. Default true: false is for packs whose maker is trusted, and
   * takes half the time. Without effect for SHA-256.
   */
  readonly collisionDetection?: boolean | undefined;
}
