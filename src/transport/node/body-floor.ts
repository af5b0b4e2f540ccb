/**
 * The difference between a slow network and a client that holds a place: so many bytes in so much time.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../core/limits.ts';
import type { RequestRhythm } from '../request-rhythm.ts';

export interface BodyFloor {
  readonly bytes: number;
  /** Milliseconds spent waiting for the client; what the server does with the bytes does not count. */
  readonly windowMs: number;
}

export const DEFAULT_BODY_FLOOR: BodyFloor = bodyFloorOf(DEFAULT_LIMITS);

export function bodyFloorOf({ floorBytes, floorWindowMs }: Limits): BodyFloor {
  return { bytes: floorBytes, windowMs: floorWindowMs };
}

/**
 * `body`, as long as it brings `floor.bytes` in each window; its last one may be shorter. Silence within a chunk is
 * for the idle timeout to end.
 *
 * @param rhythm told of each chunk: between requests, and before its pack, the client may think, and a window begins anew
 * @throws {GitError} ABORTED
 */
export async function* atLeast(
  body: ByteStream,
  floor: BodyFloor,
  rhythm?: RequestRhythm,
): AsyncGenerator<Uint8Array, undefined> {
  let waitedMs = 0;
  let sizeBytes = 0;
  let asked = performance.now();
  for await (const chunk of body) {
    if (rhythm?.isBetween) {
      waitedMs = 0;
      sizeBytes = 0;
    } else waitedMs += performance.now() - asked;
    rhythm?.follow(chunk);
    sizeBytes += chunk.length;
    if (waitedMs >= floor.windowMs) {
      if (sizeBytes < floor.bytes) throw tooSlow(floor, sizeBytes);
      waitedMs = 0;
      sizeBytes = 0;
    }
    yield chunk;
    asked = performance.now();
  }
}

function tooSlow({ bytes, windowMs }: BodyFloor, sentBytes: number): GitError {
  return new GitError(
    'ABORTED',
    `Stopped: the client sent ${sentBytes} bytes in ${windowMs / 1000} s, less than ${bytes}`,
    { sentBytes, windowMs },
  );
}
