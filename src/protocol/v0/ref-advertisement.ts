/**
 * The advertisement of protocol v0 and v1: one packet a ref, the capabilities after a NUL in the first. Shared
 * by upload-pack and receive-pack.
 * Spec: gitprotocol-pack(5), "Reference Discovery".
 *
 * @module
 */

import { concatBytes } from '../../core/bytes.ts';
import type { ObjectFormat, ObjectId } from '../../core/object-id.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import { decodePacket, payloadText } from '../pkt-line.ts';
import type { ShownRef } from '../ref-snapshot.ts';
import { appendRefLine, type LineStyle } from '../shown-refs/ref-line.ts';
import type { ShownRefs } from '../shown-refs/shown-refs.ts';

export interface RefAdvertisement extends AdvertisementFrame {
  /** Sent in this order: `HEAD` first, then by name. Tags with what they point at get a line `name^{}` for that. */
  readonly refs: Iterable<ShownRef>;
}

/** What an advertisement says beside the refs. */
export interface AdvertisementFrame {
  readonly format: ObjectFormat;
  /** Words like `ofs-delta` and `agent=packwire/1.0`, without spaces. */
  readonly capabilities: readonly string[];
  /** Commits without their parents here, when the repository itself is shallow. */
  readonly shallow?: Iterable<ObjectId> | undefined;
  /** 1 puts a `version 1` packet in front. */
  readonly version: 0 | 1;
}

/** The whole advertisement, flush included, in chunks of about 64 KiB. */
export function* encodeRefAdvertisement(advertisement: RefAdvertisement): Generator<Uint8Array, undefined> {
  const { format, refs, capabilities, shallow = [], version } = advertisement;
  const packets = new PacketBuffer();
  if (version === 1) packets.line('version 1\n');

  let afterName = afterNameOf(capabilities);
  for (const ref of refs) {
    appendRefLine(packets, ref, WITH_PEELED, afterName);
    afterName = '';
    if (packets.isFull) yield packets.take();
  }
  if (afterName !== '') packets.line(`${format.zeroId} capabilities^{}${afterName}\n`);
  for (const id of shallow) {
    packets.line(`shallow ${id}\n`);
    if (packets.isFull) yield packets.take();
  }
  yield packets.flush().take();
}

const WITH_PEELED: LineStyle = { protocol: 'v0', peel: true, symrefs: false };

/**
 * The same of refs that are kept.
 *
 * @param withHead whether `HEAD` and what tags point at are in it: a push has no use for either
 */
export async function encodeShownAdvertisement(
  shown: ShownRefs,
  { format, capabilities, shallow = [], version }: AdvertisementFrame,
  withHead: boolean,
): Promise<Uint8Array> {
  const style: LineStyle = { ...WITH_PEELED, peel: withHead };
  const start = new PacketBuffer();
  if (version === 1) start.line('version 1\n');
  const others = await shown.lines(undefined, style);
  const afterName = afterNameOf(capabilities);
  const first = withHead ? shown.head : undefined;
  if (first !== undefined) appendRefLine(start, first, style, afterName);
  else appendFirst(start, others, afterName, format);
  const end = new PacketBuffer();
  for (const id of shallow) end.line(`shallow ${id}\n`);
  return concatBytes(start.take(), ...others, end.flush().take());
}

/** Take the first packet of `others` and say the capabilities behind its name; say them alone when there is none. */
function appendFirst(
  packets: PacketBuffer,
  others: Uint8Array[],
  afterName: string,
  { zeroId }: ObjectFormat,
): void {
  const [bytes] = others;
  const step = bytes && decodePacket(bytes, 0);
  if (bytes === undefined || step?.packet.kind !== 'data') {
    packets.line(`${zeroId} capabilities^{}${afterName}\n`);
    return;
  }
  packets.line(`${payloadText(step.packet.payload)}${afterName}\n`);
  others[0] = bytes.subarray(step.end);
}

function afterNameOf(capabilities: readonly string[]): string {
  return `\0${capabilities.join(' ')}`;
}
