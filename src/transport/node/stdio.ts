/**
 * A service over two pipes: standard input and output of this process, as sshd, inetd and `git -u` use them.
 *
 * @module
 */
import type { Readable, Writable } from 'node:stream';
import type { ByteStream } from '../../core/byte-stream.ts';
import { chunksOf, writeAll } from './byte-streams.ts';

export interface Pipes {
  readonly input: Readable;
  readonly output: Writable;
}

export interface StdioOptions {
  /** Seconds of silence from the peer before the work is cut, as `--timeout` of git's own; 0 waits for ever. */
  readonly timeoutSeconds?: number | undefined;
}

/**
 * Run `service` between the pipes to its end. A peer that closes its end stops the work.
 *
 * Both pipes are let go when it ends, so that the process can.
 *
 * @throws {GitError} ABORTED when the peer went away; and whatever the service throws
 */
export async function serveOverPipes(
  service: (request: ByteStream, signal: AbortSignal) => ByteStream,
  { input, output }: Pipes,
  { timeoutSeconds = 0 }: StdioOptions = {},
): Promise<void> {
  const gone = new AbortController();
  // EPIPE arrives as an event; the writer sees a destroyed stream, and the service its signal.
  const onError = (error: Error): void => gone.abort(error);
  output.on('error', onError);
  input.on('error', onError);
  const peer = { signal: gone.signal, idleTimeoutMs: timeoutSeconds * 1000 };
  try {
    await writeAll(service(chunksOf(input, peer), gone.signal), output, peer);
    await flushed(output);
  } finally {
    input.destroy();
  }
}

/** Wait until what was written has left this process. */
function flushed(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (output.destroyed || output.writableLength === 0) resolve();
    else output.write('', () => resolve());
  });
}
