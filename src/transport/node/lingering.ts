/**
 * What a client still sends after its answer: read and dropped for a while, so that it finds the answer. A system that
 * closes a connection on bytes nobody has read resets it, and whoever writes all before reading learns only that.
 * Spec: RFC 9112, section 9.6, "Tear-down".
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Cancellable } from '../../core/byte-stream.ts';
import { Pace } from '../../core/pace.ts';

/** How much is read and dropped; whichever comes first ends it, and breaks the connection. */
export interface Linger {
  /** Milliseconds in all. */
  readonly totalMs: number;
  /** Milliseconds without a byte. */
  readonly silenceMs: number;
  /** Bytes of the body, without chunk framing. */
  readonly bytes: number;
}

/** Times as nginx has them. A client that reads while it writes, as git's does, stops long before. */
export const DEFAULT_LINGER: Linger = { totalMs: 30_000, silenceMs: 5_000, bytes: 256 * 1024 * 1024 };

/**
 * Drop the rest of a request. To be called before its answer is ended: Node closes the connection of a last answer as
 * soon as that is sent, which is put off here until the request is over; the client sees the end of what we send at once.
 *
 * @returns when the request was over, its connection broken or given up: never rejects
 */
export function lingerOn(incoming: IncomingMessage, linger: Linger, { signal }: Cancellable): Promise<void> {
  const { socket } = incoming;
  const closing = putOffClosing(socket);
  return new Promise((resolve) => {
    let bytes = 0;
    const finish = (): void => {
      clearTimeout(total);
      clearTimeout(silence);
      incoming.off('data', onData).off('end', finish).off('close', finish);
      socket.off('close', finish);
      signal?.removeEventListener('abort', finish);
      if (!incoming.complete) socket.destroy();
      closing.goOn();
      resolve();
    };
    const pace = new Pace(undefined);
    const onData = (chunk: Uint8Array): void => {
      bytes += chunk.length;
      silence.refresh();
      if (bytes > linger.bytes) finish();
      else if (pace.isDue() && !incoming.isPaused()) {
        // Two megabytes of one connection may come in a round, and many small chunks take long to read
        // (`trial:hostile --only=oversized`).
        incoming.pause();
        void pace.rest().then(() => incoming.resume());
      }
    };
    const total = setTimeout(finish, linger.totalMs);
    const silence = setTimeout(finish, linger.silenceMs);
    // Once it is answered, Node no longer tells a request that its connection has closed.
    socket.once('close', finish);
    incoming.on('data', onData).once('end', finish).once('close', finish);
    signal?.addEventListener('abort', finish);
    if (socket.destroyed || signal?.aborted) finish();
    // A request that nobody has begun to read when it is answered is dropped by Node itself, as much as comes.
    else incoming.resume().read(0);
  });
}

/** Of `socket`, only the sending side is closed until it may go on. */
function putOffClosing(socket: Socket): { goOn(): void } {
  let isWanted = false;
  socket.destroySoon = () => {
    isWanted = true;
    socket.end();
  };
  return {
    goOn() {
      Reflect.deleteProperty(socket, 'destroySoon'); // the one of its class counts again
      if (isWanted) socket.destroySoon();
    },
  };
}
