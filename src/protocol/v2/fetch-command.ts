/**
 * The command `fetch`: acknowledgments, shallow-info and packfile, in the order of the grammar.
 * Spec: gitprotocol-v2(5), "fetch".
 *
 * @module
 */
import type { ObjectReader } from '../../odb/object-database.ts';
import { Pace } from '../../repository/pace.ts';
import { type FetchContext, violation } from '../fetch-context.ts';
import { Negotiation } from '../negotiation.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { PacketReader } from '../packet-reader.ts';
import { MAX_PACKET_BYTES } from '../pkt-line.ts';
import { readLines } from '../request-lines.ts';
import { sendPack } from '../send-pack.ts';
import { decideShallow, writeShallowLines } from '../shallow-info.ts';
import { checkWants } from '../want-policy.ts';
import { type FetchRequest, FetchRequestParser } from './parse-fetch-request.ts';

/** @param packets the arguments; `undefined` when the request had none */
export async function* fetchCommand(
  context: FetchContext,
  packets: PacketReader | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const request = await readRequest(context, packets);
  // Nothing is wanted: that is answered with nothing, not even a flush.
  if (request.wants.length === 0 && !request.waitForDone) return;

  const reader = await context.repository.objects.openReader({ signal: context.options.signal });
  try {
    yield* answer(context, reader, request);
  } finally {
    reader.release();
  }
}

async function readRequest(context: FetchContext, packets: PacketReader | undefined): Promise<FetchRequest> {
  const { limits, allowFilter } = context.options;
  const parser = new FetchRequestParser({ format: context.repository.format, limits, allowFilter });
  const end = packets === undefined ? 'flush' : await readLines(packets, (line) => parser.read(line));
  if (end !== 'flush') throw violation('expected flush after fetch arguments');
  return parser.finish();
}

async function* answer(
  context: FetchContext,
  reader: ObjectReader,
  request: FetchRequest,
): AsyncGenerator<Uint8Array, undefined> {
  const { limits, signal } = context.options;
  await checkWants(context, reader, request.wants);

  const negotiation = new Negotiation(reader, request.wants, { limits, signal });
  const pace = new Pace(signal);
  for (const id of request.haves) {
    if (pace.isDue()) await pace.rest();
    negotiation.have(id);
  }
  const packets = new PacketBuffer();
  if (request.haves.length > 0 && !request.done) {
    const isReady = yield* acknowledge(packets, negotiation, request);
    yield (isReady ? packets.delimiter() : packets.flush()).take();
    if (!isReady) return;
  }

  const shallow = await decideShallow(context, reader, request.wants, request.depth);
  if (shallow.isConcerned)
    yield writeShallowLines(packets.line('shallow-info\n'), shallow).delimiter().take();
  yield packets.line('packfile\n').take();
  yield* sendPack(context, reader, { ...request, haves: negotiation.common, shallow }, MAX_PACKET_BYTES);
}

/** @returns whether the pack follows at once */
async function* acknowledge(
  packets: PacketBuffer,
  negotiation: Negotiation,
  { waitForDone }: FetchRequest,
): AsyncGenerator<Uint8Array, boolean> {
  packets.line('acknowledgments\n');
  if (negotiation.common.length === 0) packets.line('NAK\n');
  for (const id of negotiation.held()) {
    packets.line(`ACK ${id}\n`);
    if (packets.isFull) yield packets.take();
  }
  const isReady = !waitForDone && (await negotiation.isReady());
  if (isReady) packets.line('ready\n');
  return isReady;
}
