/**
 * What the client of a connection that stays open sends: as slowly as its network is, but not slower, and with time to
 * think where its protocol has it think.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import type { RequestRhythm } from '../request-rhythm.ts';
import { atLeast, type BodyFloor, DEFAULT_BODY_FLOOR } from './body-floor.ts';
import { chunksOf, type PeerOptions } from './byte-streams.ts';

export interface ClientPatience extends PeerOptions {
  /**
   * As `idleTimeoutMs`, of a push before its commands and before its pack: a client runs its hooks and makes the pack
   * then. Never less than `idleTimeoutMs`.
   */
  readonly pushPauseMs: number;
  /** What requests and packs must bring at the least. Default `DEFAULT_BODY_FLOOR`. */
  readonly floor?: BodyFloor | undefined;
}

/**
 * @param isPush asked at each wait: over git:// it is known later
 * @throws {GitError} ABORTED as `chunksOf` and `atLeast`
 */
export function requestsOf(
  source: Readable,
  { signal, idleTimeoutMs, pushPauseMs, floor = DEFAULT_BODY_FLOOR }: ClientPatience,
  rhythm: RequestRhythm,
  isPush: () => boolean,
): AsyncGenerator<Uint8Array, undefined> {
  const pauseMs = idleTimeoutMs === 0 ? 0 : Math.max(idleTimeoutMs, pushPauseMs);
  const peer: PeerOptions = {
    signal,
    get idleTimeoutMs() {
      return rhythm.isBetween && isPush() ? pauseMs : idleTimeoutMs;
    },
  };
  return atLeast(chunksOf(source, peer), floor, rhythm);
}
