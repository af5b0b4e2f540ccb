/**
 * The two directions of an SSH channel as byte streams.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { ServerChannel } from 'ssh2';
import type { ByteStream } from '../../../core/byte-stream.ts';
import { abortError, GitError, throwIfAborted } from '../../../core/errors.ts';
import type { PeerOptions } from '../byte-streams.ts';

/** What ssh2 offers a client to send unread, and twice that: a client that sends more breaks the protocol. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;

/** Bytes that wait in the socket before the next are made. */
const MAX_UNSENT_BYTES = 1024 * 1024;

/**
 * ssh2 takes what comes although the window is spent: a client could fill the memory. This ends such a connection.
 *
 * @param overrun told of it
 */
export function guardWindow(channel: ServerChannel, overrun: () => void): void {
  const push = channel.push.bind(channel);
  channel.push = (chunk, encoding) => {
    if (channel.readableLength > MAX_UNREAD_BYTES) {
      overrun();
      return false;
    }
    return push(chunk, encoding);
  };
}

/** Of a chunk that waits, what a slow client takes at the least until `idleTimeoutMs` is over; less is silence. */
const MIN_TAKEN_BYTES = 1024;

/**
 * Send `output`, one chunk at a time: the next is asked for when the client's window and the socket have taken the
 * last. ssh2 itself looks at the window only, which may be four gigabytes.
 *
 * @throws {GitError} ABORTED when the signal fires, or the client takes nothing, or next to nothing, for too long; and
 * whatever `output` throws
 */
export async function sendAll(
  output: ByteStream,
  channel: ServerChannel,
  socket: Socket,
  { onSent, ...peer }: PeerOptions & { readonly onSent: (sizeBytes: number) => void },
): Promise<void> {
  const windowWait = (): number => (channel as unknown as WaitingChannel)._chunk?.length ?? 0;
  const socketWait = (): number => (socket as unknown as QueueingSocket)._handle?.writeQueueSize ?? 0;
  for await (const chunk of output) {
    throwIfAborted(peer.signal);
    // It calls back when the last byte fits the window, and not at all when the channel is gone.
    await taken((done) => channel.write(chunk, done), windowWait, peer);
    onSent(chunk.length);
    while (socket.writableLength > MAX_UNSENT_BYTES) {
      await taken((done) => void socket.once('drain', done), socketWait, peer);
    }
  }
}

/** What ssh2 keeps to itself: the part of a chunk that the window has no room for. */
interface WaitingChannel {
  readonly _chunk: Uint8Array | undefined;
}

/** What Node's own timeout of sockets goes by: bytes that the system has not taken yet. */
interface QueueingSocket {
  readonly _handle: { readonly writeQueueSize: number } | null;
}

/** Waits until `begin`'s callback is called, as long as `waitingBytes` become fewer. */
async function taken(
  begin: (done: (error?: Error | null) => void) => void,
  waitingBytes: () => number,
  { signal, idleTimeoutMs }: PeerOptions,
): Promise<void> {
  let stop: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      stop = () => reject(abortError(signal as AbortSignal));
      signal?.addEventListener('abort', stop, { once: true });
      begin((error) => {
        if (error) reject(new GitError('ABORTED', 'Cannot send: the client went away', {}, error));
        else resolve();
      });
      let lastBytes = waitingBytes();
      const look = (): void => {
        const leftBytes = waitingBytes();
        if (lastBytes - leftBytes < MIN_TAKEN_BYTES) reject(silent(lastBytes - leftBytes, idleTimeoutMs));
        lastBytes = leftBytes;
      };
      if (idleTimeoutMs > 0) timer = setInterval(look, idleTimeoutMs);
    });
  } finally {
    clearInterval(timer);
    if (stop !== undefined) signal?.removeEventListener('abort', stop);
  }
}

function silent(takenBytes: number, idleTimeoutMs: number): GitError {
  const message = `Stopped: the client took ${takenBytes} bytes in ${idleTimeoutMs / 1000} s`;
  return new GitError('ABORTED', message, { takenBytes, idleTimeoutMs });
}
