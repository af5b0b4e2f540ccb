/**
 * Where a client of a connection that stays open may take its time: it thinks between its requests, and a push also while
 * its pack is made. Within a request, and within a pack, it only sends.
 * Spec: gitprotocol-common(5), "pkt-line Format"; gitprotocol-pack(5), "Pushing Data To a Server".
 *
 * @module
 */
import { hexDigit } from '../protocol/pkt-line.ts';

const PREFIX_BYTES = 4;
/** What a pack begins with; no length of a packet is written like it. */
const PACK = 0x5041434b;

/**
 * Follows what a client sends, chunk by chunk, without a look into its packets. What is no packet is taken for a pack:
 * bytes without an end.
 */
export class RequestRhythm {
  /** Of the packet that is arriving, its prefix not included. */
  #bytesLeft = 0;
  /** The four bytes of the prefix, as far as they are there. */
  #prefix = 0;
  #prefixBytes = 0;
  #isBetween = true;
  #isPack = false;
  #openingPackets: number;

  /** @param openingPackets packets without a flush behind them, which are a request nevertheless: one over git:// */
  constructor(openingPackets = 0) {
    this.#openingPackets = openingPackets;
  }

  /** Whether a request is over, and nothing of the next one, or of a pack, is there. True before the first. */
  get isBetween(): boolean {
    return this.#isBetween;
  }

  /** What has come next. */
  follow(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#isPack) {
      if (this.#bytesLeft > 0) {
        const taken = Math.min(this.#bytesLeft, chunk.length - at);
        at += taken;
        this.#bytesLeft -= taken;
        if (this.#bytesLeft === 0) this.#endPacket();
        continue;
      }
      this.#isBetween = false;
      this.#prefix = ((this.#prefix << 8) | (chunk[at++] as number)) >>> 0;
      if (++this.#prefixBytes === PREFIX_BYTES) this.#beginPacket();
    }
  }

  #beginPacket(): void {
    const prefix = this.#prefix;
    this.#prefix = 0;
    this.#prefixBytes = 0;
    const length = prefix === PACK ? Number.NaN : parsePrefix(prefix);
    if (length === 0) this.#isBetween = true;
    else if (length >= PREFIX_BYTES) {
      this.#bytesLeft = length - PREFIX_BYTES;
      if (this.#bytesLeft === 0) this.#endPacket();
    } else if (Number.isNaN(length)) this.#isPack = true;
  }

  #endPacket(): void {
    if (this.#openingPackets === 0) return;
    this.#openingPackets--;
    this.#isBetween = true;
  }
}

/** @returns NaN when these are not four hex digits */
function parsePrefix(prefix: number): number {
  let length = 0;
  for (let shift = 24; shift >= 0; shift -= 8) length = length * 16 + hexDigit((prefix >> shift) & 255);
  return length;
}
