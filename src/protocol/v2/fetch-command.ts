/**
 * The command `fetch`: acknowledgments, shallow-info, wanted-refs, packfile-uris and packfile, in the order of the grammar (git's
 * server writes wanted-refs first, which its own client cannot read).
 * Spec: gitprotocol-v2(5), "fetch".
 *
 * @module
 */
import type { ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { admitFetch } from '../admit-fetch.ts';
import { type FetchContext, violation } from '../fetch-context.ts';
import { Negotiation } from '../negotiation.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { PacketReader } from '../packet-reader.ts';
import { MAX_PACKET_BYTES } from '../pkt-line.ts';
import { readLines } from '../request-lines.ts';
import { sendPack } from '../send-pack.ts';
import { decideShallow, writeShallowLines } from '../shallow-info.ts';
import { resolveSparse } from '../sparse-filter.ts';
import { checkWants, fetchPromisedWants } from '../want-policy.ts';
import { readPackfileUris, writePackfileUris } from './packfile-uris.ts';
import { type FetchRequest, FetchRequestParser } from './parse-fetch-request.ts';
import { readWantedRefs, writeWantedRefs } from './wanted-refs.ts';

/** @param packets the arguments; `undefined` when the request had none */
export async function* fetchCommand(
  context: FetchContext,
  packets: PacketReader | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const request = await readRequest(context, packets);
  // Nothing is wanted: that is answered with nothing, not even a flush.
  if (request.wants.length + request.wantRefs.length === 0 && !request.waitForDone) return;
  if (request.sidebandAll) context.channel = { kind: 'bands', maxPacketBytes: MAX_PACKET_BYTES };

  await fetchPromisedWants(context, request.wants);
  // Before objects are looked at: what these refs hold is sure to be among them.
  const wantedRefs = await readWantedRefs(context, request.wantRefs);
  const reader = await context.repository.objects.openReader({ signal: context.options.signal });
  try {
    const isByName = wantedRefs.size > 0;
    const wants = isByName ? [...new Set([...request.wants, ...wantedRefs.values()])] : request.wants;
    yield* answer(context, reader, { ...request, wants, wantedRefs });
  } finally {
    reader.release();
  }
}

async function readRequest(context: FetchContext, packets: PacketReader | undefined): Promise<FetchRequest> {
  const parser = new FetchRequestParser({ format: context.repository.format, ...context.options });
  const { signal } = context.options;
  const end = packets === undefined ? 'flush' : await readLines(packets, (line) => parser.read(line), signal);
  if (end !== 'flush') throw violation('expected flush after fetch arguments');
  return parser.finish();
}

/** A request whose {@link FetchRequest.wants} hold what the named refs hold, too. */
interface ResolvedRequest extends FetchRequest {
  readonly wantedRefs: ReadonlyMap<string, ObjectId>;
}

async function* answer(
  context: FetchContext,
  reader: ObjectReader,
  request: ResolvedRequest,
): AsyncGenerator<Uint8Array, undefined> {
  const { limits, signal } = context.options;
  await checkWants(context, reader, request.wants);
  const filter = await resolveSparse(context, reader, request.filter);

  const negotiation = new Negotiation(reader, request.wants, { limits, signal });
  const pace = new Pace(signal);
  for (const id of request.haves) {
    if (pace.isDue()) await pace.rest();
    negotiation.have(id);
  }
  const packets = new PacketBuffer({ inBands: request.sidebandAll });
  const isAcknowledged = request.haves.length > 0 && !request.done;
  const isReady = isAcknowledged && !request.waitForDone && (await negotiation.isReady());
  if (isAcknowledged && !isReady) {
    yield* acknowledge(packets, negotiation, isReady);
    return;
  }
  const pass = await admitFetch(context, reader, request.wants, negotiation);
  try {
    if (isReady) yield* acknowledge(packets, negotiation, isReady);
    yield* answerWithPack(context, reader, { ...request, filter }, { negotiation, packets });
  } finally {
    pass.release();
  }
}

async function* answerWithPack(
  context: FetchContext,
  reader: ObjectReader,
  request: ResolvedRequest,
  { negotiation, packets }: { readonly negotiation: Negotiation; readonly packets: PacketBuffer },
): AsyncGenerator<Uint8Array, undefined> {
  const shallow = await decideShallow(context, reader, request.wants, request.depth);
  if (shallow.isConcerned)
    yield writeShallowLines(packets.line('shallow-info\n'), shallow).delimiter().take();
  if (request.wantedRefs.size > 0) yield writeWantedRefs(packets, request.wantedRefs).take();
  const order = { ...request, haves: negotiation.common, shallow };
  const { config, format } = context.repository;
  const uris =
    request.uriProtocols.length === 0 ? new Map() : readPackfileUris(config, format, request.uriProtocols);
  if (uris.size === 0) {
    yield packets.line('packfile\n').take();
    yield* sendPack(context, reader, order, MAX_PACKET_BYTES);
    return;
  }
  const announce = (leftOut: readonly ObjectId[]): Uint8Array =>
    writePackfileUris(packets, uris, leftOut).line('packfile\n').take();
  const elsewhere = { ids: [...uris.keys()], announce };
  yield* sendPack(context, reader, { ...order, elsewhere }, MAX_PACKET_BYTES);
}

/** @param isReady the pack follows at once */
async function* acknowledge(
  packets: PacketBuffer,
  negotiation: Negotiation,
  isReady: boolean,
): AsyncGenerator<Uint8Array, undefined> {
  packets.line('acknowledgments\n');
  if (negotiation.common.length === 0) packets.line('NAK\n');
  for (const id of negotiation.held()) {
    packets.line(`ACK ${id}\n`);
    if (packets.isFull) yield packets.take();
  }
  if (isReady) packets.line('ready\n');
  yield (isReady ? packets.delimiter() : packets.flush()).take();
}
