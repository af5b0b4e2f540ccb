/**
 * Negotiation in protocol v0 and v1: haves in batches that end with a flush, each batch answered with
 * ACK and NAK lines in one of three styles, until the client is done.
 * Spec: gitprotocol-pack(5), "Packfile Negotiation"; gitprotocol-capabilities(5), "multi_ack".
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { isObjectId, type ObjectFormat, type ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import { violation } from '../fetch-context.ts';
import type { Negotiation } from '../negotiation.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { PacketReader } from '../packet-reader.ts';
import { payloadText } from '../pkt-line.ts';
import type { UploadRequest } from './parse-upload-request.ts';

export interface NegotiationV0Options extends Cancellable {
  readonly format: ObjectFormat;
  /** One request, one answer: the next batch comes with a request of its own. */
  readonly isStateless: boolean;
}

/** Whether a pack comes next, or the client goes on in another request. */
export type NegotiationV0Outcome =
  /** `answer` is what the client is still to be told before it. */
  { readonly kind: 'send-pack'; readonly answer: Uint8Array } | { readonly kind: 'another-request' };

const ANOTHER_REQUEST: NegotiationV0Outcome = { kind: 'another-request' };

/** @throws {GitError} PROTOCOL_VIOLATION, LIMIT_EXCEEDED */
export async function* negotiateV0(
  packets: PacketReader,
  negotiation: Negotiation,
  { multiAck, noDone }: Pick<UploadRequest, 'multiAck' | 'noDone'>,
  { format, isStateless, signal }: NegotiationV0Options,
): AsyncGenerator<Uint8Array, NegotiationV0Outcome> {
  const isDetailed = multiAck === 'multi_ack_detailed';
  const answer = new PacketBuffer();
  const pace = new Pace(signal);
  /** The last have that is common, over all batches. */
  let lastCommon: ObjectId | undefined;
  let sentReady = false;
  let batchHasCommon = false;
  let batchHasOther = false;

  for (let isFirst = true; ; isFirst = false) {
    if (pace.isDue()) await pace.rest();
    let packet = packets.take();
    // A client that stays may wait for this before it says more.
    if (answer.isFull || (packet === undefined && !isStateless && answer.sizeBytes > 0)) yield answer.take();
    packet ??= await packets.next();
    // A stateless client that deepens reads the boundary, and says what it has in another request.
    if (packet === undefined && isFirst && isStateless) return ANOTHER_REQUEST;
    if (packet === undefined) throw violation('the remote end hung up unexpectedly');

    if (packet.kind !== 'data') {
      if (isDetailed && batchHasCommon && !batchHasOther && (await negotiation.isReady())) {
        sentReady = true;
        answer.line(`ACK ${lastCommon} ready\n`);
      }
      if (negotiation.common.length === 0 || multiAck !== 'none') answer.line('NAK\n');
      if (noDone && sentReady) {
        return { kind: 'send-pack', answer: answer.line(`ACK ${lastCommon}\n`).take() };
      }
      if (isStateless) {
        yield answer.take();
        return ANOTHER_REQUEST;
      }
      batchHasCommon = false;
      batchHasOther = false;
      packets.beginRequest();
      continue;
    }

    const line = payloadText(packet.payload);
    if (line === 'done') {
      const hasCommon = negotiation.common.length > 0;
      if (!hasCommon) answer.line('NAK\n');
      else if (multiAck !== 'none') answer.line(`ACK ${lastCommon}\n`);
      return { kind: 'send-pack', answer: answer.take() };
    }
    const id = parseHave(line, format);
    if (negotiation.have(id)) {
      batchHasCommon = true;
      lastCommon = id;
      if (isDetailed) answer.line(`ACK ${id} common\n`);
      else if (multiAck === 'multi_ack') answer.line(`ACK ${id} continue\n`);
      else if (negotiation.common.length === 1) answer.line(`ACK ${id}\n`);
    } else {
      batchHasOther = true;
      if (multiAck !== 'none' && (await negotiation.isReady())) {
        if (isDetailed) sentReady = true;
        answer.line(`ACK ${id} ${isDetailed ? 'ready' : 'continue'}\n`);
      }
    }
  }
}

function parseHave(line: string, format: ObjectFormat): ObjectId {
  const id = line.slice('have '.length);
  if (!line.startsWith('have ')) throw violation(`upload-pack: expected SHA1 list, got '${line}'`);
  if (!isObjectId(id, format)) throw violation(`upload-pack: expected SHA1 object, got '${id}'`);
  return id;
}
