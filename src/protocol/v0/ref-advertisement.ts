/**
 * The advertisement of protocol v0 and v1: one packet a ref, the capabilities after a NUL in the first. Shared
 * by upload-pack and receive-pack.
 * Spec: gitprotocol-pack(5), "Reference Discovery".
 *
 * @module
 */
import type { ObjectFormat, ObjectId } from '../../core/object-id.ts';
import { PacketBuffer } from '../packet-buffer.ts';

interface AdvertisedRef {
  /** `.have` for an object that is offered to deltas of a push and has no name here. */
  readonly name: string;
  readonly id: ObjectId;
  /** What an annotated tag finally points at: sent as `name^{}` on a line of its own. */
  readonly peeled?: ObjectId | undefined;
}

export interface RefAdvertisement {
  readonly format: ObjectFormat;
  /** Sent in this order: `HEAD` first, then by name. */
  readonly refs: Iterable<AdvertisedRef>;
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

  let afterName = `\0${capabilities.join(' ')}`;
  for (const { id, name, peeled } of refs) {
    packets.line(`${id} ${name}${afterName}\n`);
    afterName = '';
    if (peeled !== undefined) packets.line(`${peeled} ${name}^{}\n`);
    if (packets.isFull) yield packets.take();
  }
  if (afterName !== '') packets.line(`${format.zeroId} capabilities^{}${afterName}\n`);
  for (const id of shallow) {
    packets.line(`shallow ${id}\n`);
    if (packets.isFull) yield packets.take();
  }
  yield packets.flush().take();
}
