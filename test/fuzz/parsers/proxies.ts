/**
 * Parsers of what proxies say of clients: of what clients may have written in front of it, too.
 *
 * @module
 */
import { isIP } from 'node:net';
import type { Random } from '../../../fixtures/random.ts';
import { decodeLatin1, encodeLatin1 } from '../../../src/core/bytes.ts';
import { type ForwardedHeader, forwardedAddress } from '../../../src/transport/http/forwarded.ts';
import { canonicalAddress, networkOf } from '../../../src/transport/ip-address.ts';
import { parseProxyHeader } from '../../../src/transport/proxy-protocol.ts';
import type { FuzzedParser } from '../fuzzed-parser.ts';
import { bytes, oneOf, sequence, some } from '../grammar.ts';

const PEER = '10.0.0.9';
const CLIENT = '203.0.113.7';
const isTrusted = (address: string): boolean => address.startsWith('10.');

const NODE = oneOf(
  '192.0.2.1',
  '10.0.0.1',
  '10.0.0.1:80',
  '[2001:db8::1]:1',
  '::ffff:10.0.0.1',
  'unknown',
  '_x',
  '',
);

export const proxyParsers: readonly FuzzedParser[] = [
  {
    name: 'proxy-header',
    corpus: [
      encodeLatin1('PROXY TCP4 192.0.2.1 192.0.2.2 56324 22\r\nSSH-2.0-x'),
      encodeLatin1('PROXY TCP6 2001:db8::1 ::1 1 22\r\n'),
      encodeLatin1('PROXY UNKNOWN\r\n'),
      proxyV2('\x21\x11', '\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\0\x16'),
      proxyV2('\x21\x21', `${'\x20\x01\x0d\xb8'}${'\0'.repeat(28)}\0\x01\0\x16`),
      proxyV2('\x20\0', ''),
    ],
    generate: bytes(
      oneOf(
        sequence('PROXY ', oneOf('TCP4', 'TCP6', 'UNKNOWN', ''), some(addressWord, 5), oneOf('\r\n', '\n')),
        (random) =>
          decodeLatin1(
            proxyV2(
              random.pick(['\x21\x11', '\x21\x21', '\x20\0', '\x21\x31', '\x31\x11']),
              'x'.repeat(random.below(60)),
            ),
          ),
      ),
    ),
    words: ['PROXY ', 'TCP4 ', 'TCP6 ', 'UNKNOWN', '\r\n', ' ', '0177.1', '1', '::', '65536', '\x21\x11'],
    read: readProxyHeader,
  },
  {
    name: 'forwarded',
    corpus: ['192.0.2.1, 10.0.0.1', 'for=192.0.2.60;proto=http;by=10.0.0.1, for="[2001:db8::17]:4711"'].map(
      encodeLatin1,
    ),
    generate: bytes(
      some(
        oneOf(
          NODE,
          sequence(
            oneOf('for=', 'For = ', 'by=x;for=', 'x="'),
            oneOf('"', ''),
            NODE,
            oneOf('"', '', ';proto=http'),
          ),
        ),
        6,
        ', ',
      ),
    ),
    words: ['for=', 'by=', ';', ',', '"', '[', ']', ':', '10.0.0.1', '::1', 'unknown', '%', '\\'],
    read(input) {
      const value = decodeLatin1(input);
      readForwarded('x-forwarded-for', value, CLIENT);
      readForwarded('forwarded', value, `for=${CLIENT}`);
    },
  },
];

function readForwarded(header: ForwardedHeader, value: string, added: string): void {
  const address = forwardedAddress(header, value, PEER, isTrusted);
  if (isIP(address) === 0 || canonicalAddress(address) !== address)
    throw new Error(`a client is at ${address}`);
  if (canonicalAddress(networkOf(address).replace('/64', '')) === undefined)
    throw new Error(`a client is of ${networkOf(address)}`);
  // What the nearest proxy adds holds, whatever its client has written.
  const seen = forwardedAddress(header, `${value}, ${added}`, PEER, isTrusted);
  if (seen !== CLIENT) throw new Error(`a client passes for ${seen}`);
}

/** However it arrives, it says the same, and nothing before it is complete. */
function readProxyHeader(input: Uint8Array): void {
  const header = parseProxyHeader(input);
  if (header === 'incomplete') return;
  const { bytes: length, client } = header;
  if (length > input.length) throw new Error(`it has ${length} of ${input.length} bytes`);
  if (client !== undefined && (isIP(client.address) === 0 || client.port > 65_535))
    throw new Error(`a client is at ${client.address} ${client.port}`);
  for (let end = 0; end < Math.min(length, 64); end++) {
    if (parseProxyHeader(input.subarray(0, end)) !== 'incomplete')
      throw new Error(`${end} of ${length} bytes are taken for all`);
  }
}

function addressWord(random: Random): string {
  return ` ${random.pick(['192.0.2.1', '0177.1', '2001:db8::1', '::ffff:1.2.3.4', '1', '22', '65536', ''])}`;
}

function proxyV2(command: string, rest: string): Uint8Array {
  const length = String.fromCharCode(rest.length >> 8, rest.length & 0xff);
  return encodeLatin1(`\r\n\r\n\0\r\nQUIT\n${command}${length}${rest}`);
}
