/**
 * pkt-line framing: four hex digits of length, then that many bytes less four.
 * Spec: gitprotocol-common(5), "pkt-line Format"; gitprotocol-v2(5), "Packet-Line Framing".
 *
 * @module
 */
import { concatBytes, encodeText } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';

/** Largest packet in bytes, the four length digits included. */
export const MAX_PACKET_BYTES = 65520;

/** Largest payload of one packet. */
export const MAX_PAYLOAD_BYTES = MAX_PACKET_BYTES - 4;

const PREFIX_BYTES = 4;
const MARKERS = ['flush', 'delimiter', 'response-end'] as const; // 0000, 0001, 0002

export type Packet =
  | { readonly kind: (typeof MARKERS)[number] }
  /** `payload` is a view into the buffer given to the decoder; copy it to keep it. */
  | { readonly kind: 'data'; readonly payload: Uint8Array };

export const FLUSH_PACKET: Uint8Array = encodeText('0000');
export const DELIMITER_PACKET: Uint8Array = encodeText('0001');

/**
 * Decode the packet that starts at `offset`.
 *
 * Pure: reads `buffer`, awaits nothing, copies nothing.
 *
 * @returns the packet and the offset just past it, or `undefined` if more bytes are needed
 * @throws {GitError} PROTOCOL_VIOLATION for a malformed length; the stream cannot be resumed
 */
export function decodePacket(
  buffer: Uint8Array,
  offset: number,
): { packet: Packet; end: number } | undefined {
  if (buffer.length - offset < PREFIX_BYTES) return undefined;

  const length = parseHex4(buffer, offset);
  const marker = MARKERS[length];
  if (marker !== undefined) return { packet: { kind: marker }, end: offset + PREFIX_BYTES };

  if (length < PREFIX_BYTES || length > MAX_PACKET_BYTES) {
    throw new GitError(
      'PROTOCOL_VIOLATION',
      `Cannot read pkt-line: length must be 4 to ${MAX_PACKET_BYTES}, got ${length}`,
      { offset, length },
    );
  }

  const end = offset + length;
  if (end > buffer.length) return undefined;
  return { packet: { kind: 'data', payload: buffer.subarray(offset + PREFIX_BYTES, end) }, end };
}

/**
 * One data packet holding `payload`.
 *
 * @throws {GitError} INVALID_ARGUMENT when it does not fit {@link MAX_PAYLOAD_BYTES}
 */
export function encodePacket(payload: Uint8Array | string): Uint8Array {
  const bytes = typeof payload === 'string' ? encodeText(payload) : payload;
  if (bytes.length > MAX_PAYLOAD_BYTES) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `Cannot write pkt-line: at most ${MAX_PAYLOAD_BYTES} bytes fit, got ${bytes.length}`,
    );
  }
  return concatBytes(encodeLength(bytes.length + PREFIX_BYTES), bytes);
}

/** The four digits that begin a packet of `length` bytes in all. */
export function encodeLength(length: number): Uint8Array {
  return encodeText(length.toString(16).padStart(PREFIX_BYTES, '0'));
}

/** A packet's payload as text without its one trailing newline, as git reads lines. */
export function payloadText(payload: Uint8Array): string {
  const end = payload[payload.length - 1] === 10 ? payload.length - 1 : payload.length;
  return textDecoder.decode(payload.subarray(0, end));
}

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

function parseHex4(buffer: Uint8Array, offset: number): number {
  let value = 0;
  for (let i = offset; i < offset + PREFIX_BYTES; i++) value = value * 16 + hexDigit(buffer[i] as number);
  if (Number.isNaN(value)) {
    throw new GitError('PROTOCOL_VIOLATION', 'Cannot read pkt-line: length must be four hex digits', {
      offset,
    });
  }
  return value;
}

/** What the character `code` counts as a hex digit; NaN when it is none. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  return code >= 65 && code <= 70 ? code - 55 : Number.NaN;
}
