/**
 * Who is behind the proxies that a request came through, as they say.
 * Spec: RFC 7239 (`Forwarded`); `X-Forwarded-For` has none, and is what most proxies send.
 *
 * @module
 */
import { canonicalAddress } from '../ip-address.ts';

/** The one that the proxies write. The other may have come from the client, through all of them. */
export type ForwardedHeader = 'x-forwarded-for' | 'forwarded';

/** Proxies looked at, from the nearest. */
const MAX_HOPS = 32;
/** Longest entry of one proxy looked at, in characters. */
const MAX_HOP = 512;

/**
 * Each proxy adds on the right whom it was asked by: the right-most address that is no trusted proxy's is the last
 * that somebody trusted has seen. What stands left of it anybody may have written. Where a proxy does not say an
 * address, or all are trusted, it is the farthest trusted one.
 *
 * @param value of the header; `null` when there is none
 * @param peer the trusted proxy that the request came from
 */
export function forwardedAddress(
  header: ForwardedHeader,
  value: string | null,
  peer: string,
  isTrusted: (address: string) => boolean,
): string {
  let farthest = peer;
  let end = value?.length ?? -1;
  for (let hops = 0; value !== null && end >= 0 && hops < MAX_HOPS; hops++) {
    const start = hopStart(value, end, header === 'forwarded');
    const address = start + MAX_HOP < end ? undefined : addressOfHop(header, value.slice(start, end));
    if (address === undefined) return farthest;
    farthest = address;
    if (!isTrusted(address)) return address;
    end = start - 1;
  }
  return farthest;
}

/**
 * Where the entry that ends at `end` begins. Read from the right: a quote that a client left open, far to the left,
 * must not swallow what proxies added.
 */
function hopStart(value: string, end: number, hasQuotes: boolean): number {
  let quoted = false;
  for (let at = end - 1; at >= 0; at--) {
    if (hasQuotes && value[at] === '"') quoted = !quoted;
    else if (!quoted && value[at] === ',') return at + 1;
  }
  return 0;
}

const FORWARDED_FOR = /(?:^|;)[ \t]*for=(?:"([^"\\]*)"|([^\s;,"]*))[ \t]*(?=;|$)/i;
/** Some proxies add the port. */
const WITH_BRACKETS = /^\[([^[\]]*)\](?::\d{1,5})?$/;
const IPV4_WITH_PORT = /^([\d.]+):\d{1,5}$/;

function addressOfHop(header: ForwardedHeader, hop: string): string | undefined {
  const node = header === 'forwarded' ? forwardedFor(hop.trim()) : hop.trim();
  return canonicalAddress(WITH_BRACKETS.exec(node)?.[1] ?? IPV4_WITH_PORT.exec(node)?.[1] ?? node);
}

function forwardedFor(hop: string): string {
  const match = FORWARDED_FOR.exec(hop);
  return match?.[1] ?? match?.[2] ?? '';
}
