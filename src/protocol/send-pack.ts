/**
 * The pack on its way to the client: chosen, written, put into bands with the progress text that goes with it.
 * Spec: gitprotocol-pack(5), "Packfile Data".
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { answerKey } from '../repository/pack-sharing/answer-key.ts';
import type { AnswerSeat } from '../repository/pack-sharing/shared-answer.ts';
import type { PackChunk } from '../repository/pack-sharing/write-alone.ts';
import type { PackWritingResult } from '../repository/pack-writing/write-pack.ts';
import type { FetchContext } from './fetch-context.ts';
import { readIncludableTags } from './include-tags.ts';
import type { PackOrder } from './pack-order.ts';
import { packProgramSeat } from './pack-program-seat.ts';
import { FLUSH_PACKET, MAX_PACKET_BYTES } from './pkt-line.ts';
import { progressText } from './progress-text.ts';
import { type BandTwo, encodeEmptyBand, multiplex } from './side-band.ts';

/** Before the pack has begun, an empty packet of pack data would be an empty line of the answer. */
const SILENCE_BEFORE_PACK: Uint8Array = encodeEmptyBand(2);
const NOTHING = new Uint8Array(0);

/**
 * @param reader is released: nothing can be read from it afterwards
 * @param bandPacketBytes largest packet of the side-band; 0 sends the bare pack
 * @throws {GitError} what selecting and writing throw; `context.channel` then says how the client can be told
 */
export async function* sendPack(
  context: FetchContext,
  reader: ObjectReader,
  order: PackOrder,
  bandPacketBytes: number,
): AsyncGenerator<Uint8Array, undefined> {
  const { limits, signal } = context.options;
  if (bandPacketBytes === 0) {
    context.channel = { kind: 'bare' };
    using seat = await takeSeat(context, reader, order, {}, signal);
    for await (const chunk of packOf(seat, { signal })) yield chunk as Uint8Array;
    return;
  }
  context.channel = { kind: 'bands', maxPacketBytes: bandPacketBytes };
  const bands = { maxPacketBytes: bandPacketBytes, keepaliveMs: limits.keepaliveMs, signal };
  let terminal: BandTwo | undefined;
  const tell = (text: string) => terminal?.write(text);
  const say = order.noProgress ? undefined : tell;
  let seat: AnswerSeat | undefined;
  try {
    if (order.elsewhere !== undefined) {
      let leftOut: readonly ObjectId[] = [];
      const choosing = async function* (bandTwo: BandTwo, stop: AbortSignal) {
        terminal = bandTwo;
        seat = await takeSeat(context, reader, order, { say, tell }, stop);
        leftOut = await seat.leftOut(stop);
        yield NOTHING;
      };
      yield* multiplex(choosing, { ...bands, keepalive: SILENCE_BEFORE_PACK });
      yield order.elsewhere.announce(leftOut);
    }
    const writing = async function* (bandTwo: BandTwo, stop: AbortSignal) {
      terminal = bandTwo;
      seat ??= await takeSeat(context, reader, order, { say, tell }, stop);
      yield* packOf(seat, { signal: stop, framed: bandPacketBytes === MAX_PACKET_BYTES, say });
    };
    yield* multiplex(writing, bands);
  } finally {
    seat?.[Symbol.dispose]();
  }
  context.channel = { kind: 'packets' };
  yield FLUSH_PACKET;
}

/** How the user's terminal is reached; absent where there is no band for it. */
interface Terminal {
  /** Takes progress; absent when none is wanted. */
  readonly say?: ((text: string) => void) | undefined;
  /** Takes whatever must be said. */
  readonly tell?: ((text: string) => void) | undefined;
}

/** @param reader is released: the answer has a snapshot of its own, since it may outlive this request */
async function takeSeat(
  context: FetchContext,
  reader: ObjectReader,
  order: PackOrder,
  { say, tell = () => {} }: Terminal,
  signal: AbortSignal | undefined,
): Promise<AnswerSeat> {
  const { packProgram } = context.repository;
  if (packProgram !== undefined) {
    const seat = packProgramSeat(packProgram, reader, order, tell, context.acceptsPromisor === true);
    reader.release();
    return seat;
  }
  const { limits, sharing } = context.options;
  const { wants, haves, filter, ofsDelta, thinPack: thin } = order;
  const includeTags = order.includeTag ? await readIncludableTags(context, reader) : undefined;
  const leaveOut = order.elsewhere?.ids;
  const allowMissingBlobs = context.acceptsPromisor === true;
  const request = {
    wants,
    haves,
    ...order.shallow.selection,
    filter,
    includeTags,
    thin,
    leaveOut,
    allowMissingBlobs,
  };
  const { repository } = context;
  const key = await answerKey(repository.format, repository.runtime, request, { limits, ofsDelta, signal });
  const onProgress = say && progressText(say);
  const seat = sharing.join(repository, key, request, { limits, ofsDelta }, onProgress);
  reader.release();
  return seat;
}

interface PackOptions {
  readonly signal: AbortSignal | undefined;
  readonly framed?: boolean | undefined;
  /** Takes progress for the user's terminal. */
  readonly say?: ((text: string) => void) | undefined;
}

async function* packOf(
  seat: AnswerSeat,
  { signal, framed, say }: PackOptions,
): AsyncGenerator<PackChunk, undefined> {
  let written: PackWritingResult | undefined;
  yield* seat.pack({
    signal,
    framed,
    onResult: (result) => {
      written = result;
    },
  });
  if (written !== undefined) say?.(totalLine(written));
}

function totalLine({ objects, deltas, reusedObjects, reusedDeltas }: PackWritingResult): string {
  return `Total ${objects} (delta ${deltas}), reused ${reusedObjects} (delta ${reusedDeltas}), pack-reused 0\n`;
}
