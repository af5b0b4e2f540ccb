/**
 * Node streams as byte streams and back: pulled, never buffered whole, ended by a signal or by idleness.
 *
 * @module
 */
import type { Readable, Writable } from 'node:stream';
import type { ByteStream, Cancellable } from '../../core/byte-stream.ts';
import { abortError, GitError, throwIfAborted } from '../../core/errors.ts';

export interface PeerOptions extends Cancellable {
  /** Milliseconds to wait for the peer to send, or to take, one more byte; asked for at each wait. 0 waits for ever. */
  readonly idleTimeoutMs: number;
}

/**
 * The chunks of `source` as they arrive. Nothing is read while nobody asks, so the sender is held back by its
 * own socket. Ending the iteration early leaves `source` open: its owner decides what becomes of the rest.
 *
 * @throws {GitError} ABORTED when the signal fires, the peer goes away or it stays silent for too long
 */
export async function* chunksOf(source: Readable, peer: PeerOptions): AsyncGenerator<Uint8Array, undefined> {
  for (;;) {
    throwIfAborted(peer.signal);
    const chunk = source.read() as Uint8Array | null;
    if (chunk !== null) yield chunk;
    else if (source.readableEnded) return;
    else if (source.destroyed) throw peerGone('send', source.errored);
    else await eventOf(source, ['readable', 'end', 'close', 'error'], 'send', peer);
  }
}

/**
 * Write everything `chunks` yields, waiting whenever `sink` is full, so that at most one chunk beyond its
 * high-water mark is held. `sink` is left open. Whatever happens, `chunks` is told to end.
 *
 * @param onWrite told of the bytes of each chunk that was handed to `sink`
 * @throws {GitError} ABORTED as {@link chunksOf}; and whatever `chunks` throws
 */
export async function writeAll(
  chunks: ByteStream,
  sink: Writable,
  { signal, idleTimeoutMs }: PeerOptions,
  onWrite?: (sizeBytes: number) => void,
): Promise<void> {
  for await (const chunk of chunks) {
    throwIfAborted(signal);
    if (sink.destroyed) throw peerGone('take', sink.errored);
    onWrite?.(chunk.length);
    if (!sink.write(chunk) && sink.writableNeedDrain) {
      await eventOf(sink, ['drain', 'close', 'error'], 'take', { signal, idleTimeoutMs });
    }
  }
}

/**
 * End `sink`, and wait until its last byte was handed to the system.
 *
 * @throws {GitError} ABORTED as {@link chunksOf}
 */
export async function end(sink: Writable, peer: PeerOptions): Promise<void> {
  sink.end();
  while (!sink.writableFinished) {
    throwIfAborted(peer.signal);
    if (sink.destroyed) throw peerGone('take', sink.errored);
    await eventOf(sink, ['finish', 'close', 'error'], 'take', peer);
  }
}

/** Read and drop what is left of `source`, for at most `forMs` milliseconds. @returns whether its end was seen */
export function discardRest(source: Readable, forMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      source.off('end', done).off('close', done).off('error', done);
      resolve(source.readableEnded);
    };
    const timer = setTimeout(done, forMs);
    if (source.readableEnded || source.destroyed) return done();
    source.on('end', done).on('close', done).on('error', done);
    source.resume();
  });
}

/** Wait for the first of `names`; the state of `emitter` says what happened. */
function eventOf(
  emitter: Readable | Writable,
  names: readonly string[],
  verb: 'send' | 'take',
  { signal, idleTimeoutMs }: PeerOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      for (const name of names) emitter.off(name, onEvent);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onEvent = (): void => settle();
    const onAbort = (): void => settle(abortError(signal as AbortSignal));
    const timer =
      idleTimeoutMs > 0 ? setTimeout(() => settle(idle(verb, idleTimeoutMs)), idleTimeoutMs) : undefined;
    signal?.addEventListener('abort', onAbort);
    for (const name of names) emitter.on(name, onEvent);
    if (signal?.aborted) onAbort();
    else if (emitter.destroyed) onEvent();
  });
}

function idle(verb: 'send' | 'take', idleTimeoutMs: number): GitError {
  return new GitError(
    'ABORTED',
    `Stopped: the client did not ${verb} anything for ${idleTimeoutMs / 1000} s`,
    {
      idleTimeoutMs,
    },
  );
}

function peerGone(verb: 'send' | 'take', cause: unknown): GitError {
  const what = verb === 'send' ? 'stopped sending' : 'stopped reading';
  return new GitError(
    'ABORTED',
    `Stopped: the client went away (${what} before the end)`,
    {},
    cause ?? undefined,
  );
}
