/**
 * How many connections each network has open.
 *
 * @module
 */
import { networkOf } from '../ip-address.ts';

export class ConnectionCounts {
  readonly #counts = new Map<string, number>();

  /** @returns how many it has with this one; each must {@link leave} */
  enter(address: string): number {
    const network = networkOf(address);
    const count = (this.#counts.get(network) ?? 0) + 1;
    this.#counts.set(network, count);
    return count;
  }

  leave(address: string): void {
    const network = networkOf(address);
    const count = (this.#counts.get(network) ?? 0) - 1;
    if (count > 0) this.#counts.set(network, count);
    else this.#counts.delete(network);
  }

  /** Networks that have any. */
  get size(): number {
    return this.#counts.size;
  }
}
