/**
 * Addresses of peers: one spelling for each, as they are compared, counted and logged by it.
 * Spec: RFC 5952 for the spelling of IPv6; RFC 4291, section 2.5.5.2 for IPv4 inside it.
 *
 * @module
 */

const OCTET = /^(?:0|[1-9]\d{0,2})$/; // no zero in front: some would read it as octal
const IPV6 = /^[0-9a-fA-F:.]+$/;
/** IPv4 as sockets of both families show it. */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;
const IPV6_GROUPS = 8;

/**
 * `2001:DB8:0::1` is `2001:db8::1`, `::ffff:192.0.2.1` is `192.0.2.1`, and `fe80::1%eth0` is `fe80::1`.
 *
 * @returns `undefined` for text that is no address
 */
export function canonicalAddress(text: string): string | undefined {
  if (!text.includes(':')) return isIpv4(text) ? text : undefined;
  const [plain = ''] = text.split('%', 1);
  const url = `http://[${plain}]`;
  if (!IPV6.test(plain) || !URL.canParse(url)) return undefined;
  const address = new URL(url).hostname.slice(1, -1);
  const [, high, low] = MAPPED.exec(address) ?? [];
  return high === undefined || low === undefined ? address : `${dotted(high)}.${dotted(low)}`;
}

function isIpv4(text: string): boolean {
  const octets = text.split('.', 5);
  return octets.length === 4 && octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255);
}

function dotted(group: string): string {
  const value = Number.parseInt(group, 16);
  return `${value >> 8}.${value & 255}`;
}

/**
 * What one customer has, for limits by address: the address itself, for IPv6 the first 64 bits, since whoever has one
 * has 2^64 of them.
 *
 * @param address of {@link canonicalAddress}
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [front = '', back] = address.split('::');
  const groups = groupsOf(front);
  if (back !== undefined) {
    const tail = groupsOf(back);
    while (groups.length + tail.length < IPV6_GROUPS) groups.push('0');
    groups.push(...tail);
  }
  return `${groups.slice(0, IPV6_GROUPS / 2).join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
