/**
 * Many connections that send next to nothing.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { addressOf } from '../support/addresses.ts';
import { openSocket } from '../support/raw-exchange.ts';

export interface SlowConnectionsOptions {
  readonly count: number;
  /** What each sends at once. */
  readonly first?: string | Uint8Array | undefined;
  /** What each sends again and again; nothing when absent. */
  readonly drip?: string | undefined;
}

const DRIP_MS = 1_000;
/** Where they come from: a few from each, as a botnet's do. */
const ADDRESSES = 50;

export class SlowConnections {
  readonly #sockets: Socket[];
  readonly #timer: NodeJS.Timeout;
  #cut = 0;
  #firstCutAfterMs: number | undefined;
  #isClosing = false;

  constructor(port: number, { count, first, drip }: SlowConnectionsOptions) {
    const began = performance.now();
    this.#sockets = Array.from({ length: count }, (_, n) => {
      const socket = openSocket(port, addressOf(n % ADDRESSES));
      if (first !== undefined) socket.write(first);
      socket.resume();
      socket.on('end', () => socket.end());
      socket.on('close', () => {
        if (this.#isClosing) return;
        this.#cut++;
        this.#firstCutAfterMs ??= performance.now() - began;
      });
      return socket;
    });
    this.#timer = setInterval(() => {
      if (drip === undefined) return;
      for (const socket of this.#sockets) if (socket.writable) socket.write(drip);
    }, DRIP_MS);
  }

  /** How many the server has closed, and after how long the first of them. */
  describe(): string {
    if (this.#firstCutAfterMs === undefined) return `none of ${this.#sockets.length} cut`;
    const seconds = (this.#firstCutAfterMs / 1000).toFixed(1);
    return `${this.#cut} of ${this.#sockets.length} cut, the first after ${seconds} s`;
  }

  /** Go away without a word. */
  close(): void {
    this.#isClosing = true;
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
  }
}
