/**
 * A program that makes packs in place of this library: `uploadpack.packObjectsHook`. Declared here, fulfilled where there
 * are processes.
 * Spec: git-config(1), "uploadpack.packObjectsHook"; git-pack-objects(1).
 *
 * @module
 */
import type { ByteStream, Cancellable } from '../core/byte-stream.ts';

export interface PackProgramCall extends Cancellable {
  /** Those of `git`, from `pack-objects` or an option of git's before it. */
  readonly args: readonly string[];
  /** What git's pack-objects reads: revisions, one a line. */
  readonly input: Iterable<string>;
  /** Told of what it prints on standard error, as it comes. */
  readonly onMessage: (text: string) => void;
}

/**
 * The pack, as it is made. Its end is held back until the program has ended well, so that nobody takes a part for the
 * whole.
 *
 * @throws {GitError} PACK_CORRUPT when it does not end well; ABORTED
 */
export type PackProgram = (call: PackProgramCall) => ByteStream;
