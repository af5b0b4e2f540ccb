/**
 * What hooks print, on its way to the pusher: nothing is lost, and a hook that prints faster than the pusher reads
 * is held back.
 *
 * @module
 */
import type { BandTwo } from '../side-band.ts';

/** Characters that may wait to be sent; a band holds back twice as many. */
const MAX_WAITING = 32 * 1024;

export class HookRelay {
  readonly #bandTwo: BandTwo;
  readonly #signal: AbortSignal;
  #waiting = 0;
  #wake: (() => void)[] = [];

  /** @param signal fires when nobody reads any more: what is printed then is dropped */
  constructor(bandTwo: BandTwo, signal: AbortSignal) {
    this.#bandTwo = bandTwo;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.onTaken(), { once: true });
  }

  async write(text: string): Promise<void> {
    for (let at = 0; at < text.length; at += MAX_WAITING) {
      const part = text.slice(at, at + MAX_WAITING);
      while (this.#waiting > 0 && this.#waiting + part.length > MAX_WAITING && !this.#signal.aborted) {
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
      if (this.#signal.aborted) return;
      this.#waiting += part.length;
      this.#bandTwo.write(part);
    }
  }

  /** All that was written has been taken to be sent. */
  onTaken(): void {
    this.#waiting = 0;
    const wake = this.#wake;
    this.#wake = [];
    for (const resume of wake) resume();
  }
}
