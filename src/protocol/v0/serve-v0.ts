/**
 * Protocol v0, and v1, which is v0 with its version in front: advertise, read wants, agree on what is common,
 * send the pack.
 * Spec: gitprotocol-pack(5).
 *
 * @module
 */

import type { ObjectReader } from '../../odb/object-database.ts';
import { admitFetch } from '../admit-fetch.ts';
import { type FetchContext, sessionIdOf } from '../fetch-context.ts';
import { Negotiation } from '../negotiation.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { PacketReader } from '../packet-reader.ts';
import { readShownRefs, type ShownRef } from '../ref-snapshot.ts';
import { readLines } from '../request-lines.ts';
import { sendPack } from '../send-pack.ts';
import { decideShallow, writeShallowLines } from '../shallow-info.ts';
import { sentInChunks, warmShownRefs } from '../shown-refs/warm-shown-refs.ts';
import { resolveSparse } from '../sparse-filter.ts';
import { checkWants } from '../want-policy.ts';
import { type NegotiationV0Outcome, negotiateV0 } from './negotiate-v0.ts';
import { type UploadRequest, UploadRequestParser } from './parse-upload-request.ts';
import { encodeRefAdvertisement, encodeShownAdvertisement } from './ref-advertisement.ts';

const CAPABILITIES =
  'multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative ' +
  'no-progress include-tag multi_ack_detailed';

/** The chunks may be views of what is kept for others who ask the same: whoever is given one only reads it. */
export async function* advertiseV0(context: FetchContext): AsyncGenerator<Uint8Array, undefined> {
  const { repository, options } = context;
  const shown = await warmShownRefs(repository, options.hiddenRefs, undefined, options);
  if (shown !== undefined) {
    const frame = await frameOf(context, shown.head);
    const key = ['v0', frame.version, ...frame.capabilities, ...frame.shallow].join(' ');
    yield* sentInChunks(
      repository,
      await shown.answer(key, () => encodeShownAdvertisement(shown, frame, true)),
    );
    return;
  }
  const reader = await repository.objects.openReader({ signal: options.signal });
  try {
    yield* writeAdvertisement(context, reader);
  } finally {
    reader.release();
  }
}

/** Over a connection, advertise first; otherwise answer one request, whose wants come from an earlier answer. */
export async function* serveV0(
  context: FetchContext,
  packets: PacketReader,
): AsyncGenerator<Uint8Array, undefined> {
  const { repository, options } = context;
  const isStateless = options.mode === 'stateless';
  const reader = await repository.objects.openReader({ signal: options.signal });
  try {
    const shown = isStateless ? undefined : yield* writeAdvertisement(context, reader);
    const request = await readRequest(context, packets);
    if (request === undefined || request.wants.length === 0) return;
    await checkWants(context, reader, request.wants, shown && new Set(shown.map(({ id }) => id)));

    const shallow = await decideShallow(context, reader, request.wants, request.depth);
    const boundary = shallow.isDeepened
      ? writeShallowLines(new PacketBuffer(), shallow).flush().take()
      : undefined;
    if (boundary !== undefined && !isStateless) yield boundary;

    const filter = await resolveSparse(context, reader, request.filter);
    const { limits, signal } = options;
    const negotiation = new Negotiation(reader, request.wants, { limits, signal });
    const { format } = repository;
    const rounds = negotiateV0(packets, negotiation, request, { format, isStateless, signal });
    const { said, outcome } = isStateless
      ? await heldBack(rounds, boundary)
      : { said: [], outcome: yield* rounds };
    if (outcome.kind === 'another-request') {
      yield* said;
      return;
    }

    const pass = await admitFetch(context, reader, request.wants, negotiation);
    try {
      yield* said;
      if (outcome.answer.length > 0) yield outcome.answer;
      const order = { ...request, filter, haves: negotiation.common, shallow };
      yield* sendPack(context, reader, order, request.bandPacketBytes);
    } finally {
      pass.release();
    }
  } finally {
    reader.release();
  }
}

/**
 * All of the answer to one request that comes before its pack: with the first byte of it the carrier's status is said, and
 * whether there is room for the pack is known later. At most a line for each have.
 */
async function heldBack(
  rounds: AsyncGenerator<Uint8Array, NegotiationV0Outcome>,
  boundary: Uint8Array | undefined,
): Promise<{ readonly said: readonly Uint8Array[]; readonly outcome: NegotiationV0Outcome }> {
  const said = boundary === undefined ? [] : [boundary];
  for (;;) {
    const step = await rounds.next();
    if (step.done === true) return { said, outcome: step.value };
    said.push(step.value);
  }
}

/** @returns the refs that were shown */
async function* writeAdvertisement(
  context: FetchContext,
  reader: ObjectReader,
): AsyncGenerator<Uint8Array, readonly ShownRef[]> {
  const { hiddenRefs, signal } = context.options;
  const refs = await readShownRefs(context.repository.refs, reader, { hiddenRefs, peel: true, signal });
  yield* encodeRefAdvertisement({ refs, ...(await frameOf(context, refs[0])) });
  return refs;
}

async function frameOf(context: FetchContext, first: ShownRef | undefined) {
  const { repository, options } = context;
  const { format } = repository;
  return {
    format,
    capabilities: capabilities(context, first),
    shallow: await repository.shallowCommits(),
    version: options.protocolVersion === 1 ? 1 : 0,
  } as const;
}

function capabilities(context: FetchContext, first: ShownRef | undefined): string[] {
  const { options } = context;
  const { format } = context.repository;
  const words = CAPABILITIES.split(' ');
  const { wantPolicy, hiddenRefs, unwantedRefs } = options;
  if (wantPolicy !== 'advertised' || unwantedRefs !== hiddenRefs) words.push('allow-tip-sha1-in-want');
  if (wantPolicy !== 'advertised') words.push('allow-reachable-sha1-in-want');
  if (options.mode === 'advertise') words.push('no-done');
  if (first?.name === 'HEAD' && first.symbolicTarget !== undefined) {
    words.push(`symref=HEAD:${first.symbolicTarget}`);
  }
  if (options.allowFilter) words.push('filter');
  words.push(`object-format=${format.name}`);
  if (options.advertiseSessionId) words.push(`session-id=${sessionIdOf(context)}`);
  words.push(`agent=${options.agent}`);
  return words;
}

/** @returns `undefined` when the client went away without a word: it only wanted to see the refs */
async function readRequest(
  { repository, options }: FetchContext,
  packets: PacketReader,
): Promise<UploadRequest | undefined> {
  const parser = new UploadRequestParser({ format: repository.format, ...options });
  const end = await readLines(packets, (line) => parser.read(line), options.signal);
  if (end === undefined) return undefined;
  const request = parser.finish();
  const { agent, sessionId } = request;
  options.onRequest?.({ command: 'fetch', agent, sessionId, serverOptions: [] });
  return request;
}
