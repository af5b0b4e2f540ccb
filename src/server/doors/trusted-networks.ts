/**
 * The addresses of proxies that are trusted, as an operator writes them: `10.0.0.0/8`, `::1`.
 *
 * @module
 */
import { BlockList } from 'node:net';
import { GitError } from '../../core/errors.ts';
import { canonicalAddress } from '../../transport/ip-address.ts';

/**
 * @returns whether an address is in one of `networks`; never for what is no address
 * @throws {GitError} INVALID_ARGUMENT when one of them is no network
 */
export function trustedNetworks(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) add(list, network);
  if (networks.length === 0) return () => false;
  return (address) => {
    const canonical = canonicalAddress(address);
    return canonical !== undefined && list.check(canonical, familyOf(canonical));
  };
}

function add(list: BlockList, network: string): void {
  const [text = '', bits, ...more] = network.split('/');
  const address = canonicalAddress(text);
  if (address === undefined || more.length > 0) throw noNetwork(network);
  const family = familyOf(address);
  const most = family === 'ipv4' ? 32 : 128;
  if (bits === undefined) {
    list.addAddress(address, family);
    return;
  }
  // IPv4 that is written as IPv6 would need its bits counted from elsewhere.
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most || familyOf(text) !== family) throw noNetwork(network);
  list.addSubnet(address, Number(bits), family);
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

function noNetwork(network: string): GitError {
  return new GitError(
    'INVALID_ARGUMENT',
    `Cannot trust '${network}': expected an address or a network, such as 10.0.0.0/8 or ::1`,
  );
}
