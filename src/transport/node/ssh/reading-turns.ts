/**
 * What SSH clients send, read in turns: ssh2 answers each packet at once, a thousand of them in one chunk if they are
 * small, and libuv reads many chunks of one client before it looks at the next.
 *
 * @module
 */
import type { Socket } from 'node:net';

/** For all clients together, in one round of the event loop. */
const TURN_MS = 5;
/** Looked at between two looks at the clock: some hundred packets at most. */
const SLICE_BYTES = 16 * 1024;
/** Read from a client that does not take the answers to what it sent before: ssh2 keeps all of them. */
const MAX_UNANSWERED_BYTES = 16 * 1024;

/** One client. Its socket is paused while anything of it waits, or it waits for its client. */
interface Reader {
  readonly socket: Socket;
  readonly parse: (bytes: Uint8Array) => void;
  /** What was read and has to wait for its turn. */
  held: Uint8Array | undefined;
  unansweredBytes: number;
}

/** Shared by the clients of a server. */
export class ReadingTurns {
  #spentMs = 0;
  #isNextRoundAsked = false;
  /** Those that have something held, who waits longest first. */
  #waiting = new Set<Reader>();

  /** Put what comes from `socket` through turns before those who listen to its `data` now. */
  arrange(socket: Socket): void {
    const listeners = socket.listeners('data') as ((bytes: Uint8Array) => void)[];
    for (const listener of listeners) socket.off('data', listener);
    const parse = (bytes: Uint8Array): void => {
      for (const listener of listeners) listener(bytes);
    };
    const reader: Reader = { socket, parse, held: undefined, unansweredBytes: 0 };
    socket.on('data', (chunk: Uint8Array) => this.#read(reader, chunk));
    socket.on('drain', () => {
      reader.unansweredBytes = 0;
      if (reader.held === undefined) socket.resume();
      else this.#wait(reader);
    });
  }

  #read(reader: Reader, bytes: Uint8Array): void {
    this.#askNextRound();
    let at = 0;
    while (at < bytes.length && this.#spentMs < TURN_MS && !isHeldBack(reader)) {
      // Nobody listens to a client any more that was cut, or broke the protocol.
      if (reader.socket.destroyed || reader.socket.listenerCount('data') === 0) return;
      const slice = bytes.subarray(at, at + SLICE_BYTES);
      at += slice.length;
      const began = performance.now();
      reader.parse(slice);
      this.#spentMs += performance.now() - began;
      reader.unansweredBytes = reader.socket.writableNeedDrain ? reader.unansweredBytes + slice.length : 0;
    }
    reader.held = at < bytes.length ? bytes.subarray(at) : undefined;
    if (reader.held !== undefined || isHeldBack(reader)) reader.socket.pause();
    else if (reader.socket.isPaused()) reader.socket.resume();
    if (reader.held !== undefined && !isHeldBack(reader)) this.#wait(reader);
  }

  #wait(reader: Reader): void {
    this.#waiting.add(reader);
    this.#askNextRound();
  }

  #askNextRound(): void {
    if (this.#isNextRoundAsked) return;
    this.#isNextRoundAsked = true;
    setImmediate(() => {
      this.#isNextRoundAsked = false;
      this.#spentMs = 0;
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      // Who has no turn any more waits again, in the same order, before those who had one.
      const turnless = waiting.findIndex((reader) => !this.#takeTurn(reader));
      if (turnless >= 0) this.#waiting = new Set([...waiting.slice(turnless), ...this.#waiting]);
    });
  }

  /** @returns false when the round is over */
  #takeTurn(reader: Reader): boolean {
    if (this.#spentMs >= TURN_MS) {
      this.#askNextRound();
      return false;
    }
    const { held, socket } = reader;
    reader.held = undefined;
    if (held !== undefined && !socket.destroyed) this.#read(reader, held);
    return true;
  }
}

/** Until its socket is empty. */
function isHeldBack({ socket, unansweredBytes }: Reader): boolean {
  return unansweredBytes >= MAX_UNANSWERED_BYTES && socket.writableNeedDrain;
}
