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

/** So many more at a time until all are there: a thousand come within a second. */
const RAMP_MS = 1_000;
const RAMP_STEP_MS = 20;

export class SlowConnections {
  readonly #port: number;
  readonly #options: SlowConnectionsOptions;
  readonly #sockets: Socket[] = [];
  readonly #timers: NodeJS.Timeout[];
  readonly #began = performance.now();
  #cut = 0;
  #firstCutAfterMs: number | undefined;
  #isClosing = false;

  constructor(port: number, options: SlowConnectionsOptions) {
    this.#port = port;
    this.#options = options;
    const { drip } = options;
    const ramp = setInterval(() => this.#openMore(ramp), RAMP_STEP_MS);
    const dripping = setInterval(() => {
      if (drip === undefined) return;
      for (const socket of this.#sockets) if (socket.writable) socket.write(drip);
    }, DRIP_MS);
    this.#timers = [ramp, dripping];
  }

  /** How many the server has closed, and after how long the first of them. */
  describe(): string {
    const { count } = this.#options;
    if (this.#firstCutAfterMs === undefined) return `none of ${count} cut`;
    return `${this.#cut} of ${count} cut, the first after ${(this.#firstCutAfterMs / 1000).toFixed(1)} s`;
  }

  /** Go away without a word. */
  close(): void {
    this.#isClosing = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
  }

  #openMore(ramp: NodeJS.Timeout): void {
    const { count } = this.#options;
    const part = Math.min(1, (performance.now() - this.#began) / RAMP_MS);
    while (this.#sockets.length < Math.ceil(count * part)) this.#open();
    if (this.#sockets.length === count) clearInterval(ramp);
  }

  #open(): void {
    const { first } = this.#options;
    const began = performance.now();
    const socket = openSocket(this.#port, addressOf(this.#sockets.length % ADDRESSES));
    this.#sockets.push(socket);
    if (first !== undefined) socket.write(first);
    socket.resume();
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      if (this.#isClosing) return;
      this.#cut++;
      this.#firstCutAfterMs ??= performance.now() - began;
    });
  }
}
