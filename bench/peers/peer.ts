/**
 * A peer: another implementation of git that does the same work.
 *
 * @module
 */
import type { Run } from '../pack/measure.ts';
import type { Dialect } from '../pack/requests.ts';

export interface Peer {
  readonly name: string;
  readonly language: string;
  /** How to get it: a line for a shell. */
  readonly install: string;
  /** What a reader must know before comparing. */
  readonly note?: string | undefined;
  /**
   * Find it and build its adapter in `directory`, a folder of its own that exists.
   *
   * @throws {NotInstalled} when something it needs is not on this machine
   */
  prepare(directory: string): ReadyPeer;
}

export interface ReadyPeer {
  /** As the peer itself tells it. */
  readonly version: string;
  /** Reads a pack from standard input and keeps it in the bare repository `target`; absent where it cannot. */
  readonly ingest?: ((target: string) => Run) | undefined;
  readonly serve?: Server | undefined;
}

/** Reads a fetch request from standard input, writes the answer to standard output. */
interface Server {
  readonly dialect: Dialect;
  run(repository: string): Run;
}

export class NotInstalled extends Error {
  override readonly name = 'NotInstalled';
}
