/**
 * How often somebody may ask.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { addressKey } from '../limits/address-key.ts';
import { type Rate, TokenBuckets } from '../limits/token-bucket.ts';
import type { RateSettings } from './settings.ts';

/** Who asks, as far as it is known. */
export interface Asker {
  readonly identity?: string | undefined;
  readonly address?: string | undefined;
}

/** A bucket for each identity and one for each address; whoever has both needs a token of each. */
export class RequestRates {
  #settings: RateSettings;
  #identities: TokenBuckets;
  #addresses: TokenBuckets;
  readonly #now: () => number;

  constructor(settings: RateSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
    this.#identities = new TokenBuckets(settings.identity);
    this.#addresses = new TokenBuckets(settings.address);
  }

  /** Buckets whose rate changes are full again. */
  setSettings(settings: RateSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    if (!isSameRate(before.identity, settings.identity))
      this.#identities = new TokenBuckets(settings.identity);
    if (!isSameRate(before.address, settings.address)) this.#addresses = new TokenBuckets(settings.address);
  }

  /** @throws {GitError} RATE_LIMITED with `detail.retryAfterSeconds`; nothing is taken then */
  take({ identity, address }: Asker): void {
    const now = this.#now();
    const network = address && addressKey(address);
    const identityWait = identity ? this.#identities.wait(identity, now) : 0;
    const addressWait = network ? this.#addresses.wait(network, now) : 0;
    if (identityWait > 0 || addressWait > 0) {
      const whose = identityWait > 0 ? 'of yours' : 'from your network address';
      throw rateLimited(`Too many requests ${whose}`, Math.max(identityWait, addressWait));
    }
    if (identity) this.#identities.take(identity, now);
    if (network) this.#addresses.take(network, now);
  }
}

export function isSameRate(a: Rate, b: Rate): boolean {
  return a.perSecond === b.perSecond && a.burst === b.burst;
}

/** @param problem begins the sentence */
export function rateLimited(problem: string, waitMs: number): GitError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new GitError('RATE_LIMITED', `${problem}: try again in ${retryAfterSeconds} s`, {
    retryAfterSeconds,
  });
}
