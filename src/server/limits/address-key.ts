/**
 * Which addresses are counted as one client.
 * Spec: RFC 4291, "IPv6 Addressing Architecture"; RFC 6177: one site is given a /64 at the least.
 *
 * @module
 */
import { isIPv4, isIPv6 } from 'node:net';

/** Groups of 16 bits that name a network; the rest a client picks as it likes. */
const NETWORK_GROUPS = 4;

/** Of what is no address. */
const MAX_CHARACTERS = 64;

/**
 * @returns an IPv4 address as it is, also one that is written as IPv6; of other IPv6 addresses their /64, so that one
 * who owns a network is not 2^64 clients. What is no address stays as it is, but for its length. Never a part of a longer
 * string, which it would keep in memory
 */
export function addressKey(address: string): string {
  const [bare] = address.split('%') as [string]; // the interface of a link-local address
  if (isIPv4(bare)) return formatIPv4(groupsOfIPv4(bare));
  if (!isIPv6(bare)) return Buffer.from(address.slice(0, MAX_CHARACTERS)).toString();
  const groups = groupsOf(bare);
  if (isMappedIPv4(groups)) return formatIPv4(groups.slice(-2));
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

function formatIPv4([high, low]: readonly number[]): string {
  return [high as number, low as number].flatMap((group) => [group >> 8, group & 0xff]).join('.');
}

function isMappedIPv4(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

/** The eight groups of a valid address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const front = groupsIn(head);
  if (tail === undefined) return front;
  const back = groupsIn(tail);
  return [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
}

function groupsIn(text: string): number[] {
  if (text === '') return [];
  return text
    .split(':')
    .flatMap((group) => (isIPv4(group) ? groupsOfIPv4(group) : [Number.parseInt(group, 16)]));
}

function groupsOfIPv4(address: string): number[] {
  const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
  return [a * 256 + b, c * 256 + d];
}
