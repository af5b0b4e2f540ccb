/**
 * Who is behind a proxy, as it says itself before the first byte of its client.
 * Spec: haproxy, "The PROXY protocol", versions 1 and 2.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { canonicalAddress } from './ip-address.ts';

interface ProxiedAddress {
  readonly address: string;
  readonly port: number;
}

export type ProxyHeader =
  /** Not all there yet. */
  | 'incomplete'
  | {
      /** Bytes of the header; what follows is the client's. */
      readonly bytes: number;
      /** `undefined` when the proxy speaks for itself (health checks), or does not know. */
      readonly client: ProxiedAddress | undefined;
    };

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const V1 = Uint8Array.of(0x50, 0x52, 0x4f, 0x58, 0x59, 0x20); // 'PROXY '
/** Longest line of version 1, its end included. */
const MAX_V1_BYTES = 107;
/** Addresses and what proxies add to them; the field could say 65,535. */
const MAX_V2_BYTES = 4096;
const FIXED_V2_BYTES = 16;

/**
 * Read the header at the start of `bytes`.
 *
 * @throws {GitError} PROTOCOL_VIOLATION when there is none, or it is malformed
 */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (startsAs(bytes, SIGNATURE)) return bytes.length < FIXED_V2_BYTES ? 'incomplete' : parseV2(bytes);
  if (startsAs(bytes, V1)) return parseV1(bytes);
  throw malformed('a trusted proxy sent none');
}

function startsAs(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, i) => i >= bytes.length || bytes[i] === byte);
}

const V1_LINE = /^PROXY (?:(TCP4|TCP6) (\S+) (\S+) (\d{1,5}) (\d{1,5})|UNKNOWN(?: .*)?)$/;

function parseV1(bytes: Uint8Array): ProxyHeader {
  const end = bytes.indexOf(0x0a);
  if (end < 0 && bytes.length < MAX_V1_BYTES) return 'incomplete';
  if (end < 1 || end >= MAX_V1_BYTES || bytes[end - 1] !== 0x0d) throw malformed('its line does not end');
  const line = String.fromCharCode(...bytes.subarray(0, end - 1));
  const match = V1_LINE.exec(line);
  if (match === null) throw malformed('its line is none');
  const [, family, address = '', , portText] = match;
  if (family === undefined) return { bytes: end + 1, client: undefined };
  if ((family === 'TCP6') !== address.includes(':')) throw malformed('its address is none');
  return { bytes: end + 1, client: { address: readAddress(address), port: portOf(portText as string) } };
}

function readAddress(text: string): string {
  const address = canonicalAddress(text);
  if (address === undefined) throw malformed('its address is none');
  return address;
}

function portOf(digits: string): number {
  const port = Number(digits);
  if (port > 65_535) throw malformed('its port is none');
  return port;
}

function parseV2(bytes: Uint8Array): ProxyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [version, command] = [view.getUint8(12) >> 4, view.getUint8(12) & 15];
  if (version !== 2 || command > 1) throw malformed('its version is unknown');
  const length = view.getUint16(14);
  if (length > MAX_V2_BYTES) throw malformed(`it is larger than ${MAX_V2_BYTES} bytes`);
  const total = FIXED_V2_BYTES + length;
  if (bytes.length < total) return 'incomplete';
  const client = command === 1 ? addressOf(view, length) : undefined;
  return { bytes: total, client };
}

/** TCP over IPv4 and IPv6; others are as good as unknown. */
function addressOf(view: DataView, length: number): ProxiedAddress | undefined {
  const family = view.getUint8(13);
  if (family === 0x11 && length >= 12) {
    const parts = [16, 17, 18, 19].map((at) => view.getUint8(at));
    return { address: parts.join('.'), port: view.getUint16(24) };
  }
  if (family === 0x21 && length >= 36) {
    const parts = Array.from({ length: 8 }, (_, i) => view.getUint16(FIXED_V2_BYTES + 2 * i).toString(16));
    return { address: readAddress(parts.join(':')), port: view.getUint16(48) };
  }
  return undefined;
}

function malformed(why: string): GitError {
  return new GitError('PROTOCOL_VIOLATION', `Cannot read PROXY header: ${why}`);
}
