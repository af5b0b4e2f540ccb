/**
 * Slows those who guess passwords and tokens, and nobody else.
 *
 * Only failures count. A user who has logged in from an address lately is counted there alone: neither others who
 * fail at that address nor strangers who fail with that name elsewhere lock such a user out.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { addressKey } from '../limits/address-key.ts';
import { TokenBuckets } from '../limits/token-bucket.ts';
import { isSameRate, rateLimited } from './request-rates.ts';
import type { LoginSettings } from './settings.ts';

/** Who tries to log in. */
export interface LoginAttempt {
  readonly address?: string | undefined;
  /** The user name, or what of the token is not secret. */
  readonly user?: string | undefined;
}

/** How many users at addresses are remembered; the longest unseen is forgotten first. */
const MOST_KNOWN = 10_000;

export class LoginThrottle {
  #settings: LoginSettings;
  #addresses: TokenBuckets;
  #users: TokenBuckets;
  /** Users where they are known. */
  #pairs: TokenBuckets;
  /** Pairs of user and address that have logged in, the latest last. */
  readonly #known = new Set<string>();
  readonly #now: () => number;

  constructor(settings: LoginSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
    this.#addresses = new TokenBuckets(settings.address);
    this.#users = new TokenBuckets(settings.user);
    this.#pairs = new TokenBuckets(settings.address);
  }

  /** Failures so far are forgotten where the rate changes. */
  setSettings(settings: LoginSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    if (!isSameRate(before.user, settings.user)) this.#users = new TokenBuckets(settings.user);
    if (isSameRate(before.address, settings.address)) return;
    this.#addresses = new TokenBuckets(settings.address);
    this.#pairs = new TokenBuckets(settings.address);
  }

  /**
   * Verify what somebody shows, unless they failed too often; `undefined` of `verify` is a failure, what it throws is
   * not. Of many attempts at once no more are told apart than one after the other.
   *
   * @throws {GitError} RATE_LIMITED with `detail.retryAfterSeconds`, whether what they showed was right or not
   */
  async guard<Subject>(
    attempt: LoginAttempt,
    verify: () => Promise<Subject | undefined>,
  ): Promise<Subject | undefined> {
    const network = attempt.address && addressKey(attempt.address);
    const user = attempt.user && userKey(attempt.user);
    const pair = network && user ? `${network} ${user}` : undefined;
    const counted = this.#countedAt(network, user, pair);
    this.#refuse(counted);
    const subject = await verify();
    this.#refuse(counted); // others failed meanwhile
    if (subject === undefined) {
      for (const { buckets, key } of counted) buckets.take(key, this.#now());
    } else if (pair !== undefined) {
      this.#remember(pair);
    }
    return subject;
  }

  #countedAt(network: string | undefined, user: string | undefined, pair: string | undefined): Counted[] {
    if (pair !== undefined && this.#known.has(pair)) return [{ buckets: this.#pairs, key: pair }];
    return [
      ...(network ? [{ buckets: this.#addresses, key: network }] : []),
      ...(user ? [{ buckets: this.#users, key: user }] : []),
    ];
  }

  #refuse(counted: readonly Counted[]): void {
    const now = this.#now();
    const wait = Math.max(0, ...counted.map(({ buckets, key }) => buckets.wait(key, now)));
    if (wait > 0) throw rateLimited('Too many failed logins', wait);
  }

  #remember(pair: string): void {
    this.#known.delete(pair);
    this.#known.add(pair);
    if (this.#known.size <= MOST_KNOWN) return;
    for (const oldest of this.#known) {
      this.#known.delete(oldest);
      return;
    }
  }
}

/** Of one length whatever a stranger sends, and no part of the string with the password. */
function userKey(user: string): string {
  return createHash('sha256').update(user).digest('base64url');
}

interface Counted {
  readonly buckets: TokenBuckets;
  readonly key: string;
}
