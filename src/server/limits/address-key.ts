/**
 * Which addresses are counted as one client.
 * Spec: RFC 4291, "IPv6 Addressing Architecture"; RFC 6177: one site is given a /64 at the least.
 *
 * @module
 */
import { canonicalAddress, networkOf } from '../../transport/ip-address.ts';

/** Of what is no address. */
const MAX_CHARACTERS = 64;

/**
 * @returns an IPv4 address as it is, also one that is written as IPv6; of other IPv6 addresses their /64, so that one
 * who owns a network is not 2^64 clients. What is no address stays as it is, but for its length. Never a part of a longer
 * string, which it would keep in memory
 */
export function addressKey(address: string): string {
  const canonical = canonicalAddress(address);
  const key = canonical === undefined ? address.slice(0, MAX_CHARACTERS) : networkOf(canonical);
  return Buffer.from(key).toString();
}
