/**
 * The pack on its way to the client: chosen, written, put into bands with the progress text that goes with it.
 * Spec: gitprotocol-pack(5), "Packfile Data".
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import type { ObjectFilter } from '../repository/object-filter.ts';
import { answerKey } from '../repository/pack-sharing/answer-key.ts';
import type { PackChunk } from '../repository/pack-sharing/write-alone.ts';
import type { PackWritingResult } from '../repository/pack-writing/write-pack.ts';
import type { FetchContext } from './fetch-context.ts';
import { readIncludableTags } from './include-tags.ts';
import { FLUSH_PACKET, MAX_PACKET_BYTES } from './pkt-line.ts';
import { progressText } from './progress-text.ts';
import type { ShallowDecision } from './shallow-info.ts';
import { multiplex } from './side-band.ts';

/** What the pack is to hold, and how the client takes it. */
export interface PackOrder {
  readonly wants: readonly ObjectId[];
  /** What both have. */
  readonly haves: readonly ObjectId[];
  readonly shallow: ShallowDecision;
  readonly filter: ObjectFilter | undefined;
  readonly thinPack: boolean;
  readonly ofsDelta: boolean;
  readonly includeTag: boolean;
  readonly noProgress: boolean;
}

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
    for await (const chunk of packOf(context, reader, order, { signal })) yield chunk as Uint8Array;
    return;
  }
  context.channel = { kind: 'bands', maxPacketBytes: bandPacketBytes };
  yield* multiplex(
    (bandTwo, stop) => {
      const say = order.noProgress ? undefined : (text: string) => bandTwo.write(text);
      return packOf(context, reader, order, {
        signal: stop,
        framed: bandPacketBytes === MAX_PACKET_BYTES,
        say,
      });
    },
    { maxPacketBytes: bandPacketBytes, keepaliveMs: limits.keepaliveMs, signal },
  );
  context.channel = { kind: 'packets' };
  yield FLUSH_PACKET;
}

interface PackOptions {
  readonly signal: AbortSignal | undefined;
  readonly framed?: boolean | undefined;
  /** Takes progress for the user's terminal. */
  readonly say?: ((text: string) => void) | undefined;
}

async function* packOf(
  context: FetchContext,
  reader: ObjectReader,
  order: PackOrder,
  { signal, framed, say }: PackOptions,
): AsyncGenerator<PackChunk, undefined> {
  const { limits, sharing } = context.options;
  const { wants, haves, filter, ofsDelta, thinPack: thin } = order;
  const includeTags = order.includeTag ? await readIncludableTags(context, reader) : undefined;
  const request = { wants, haves, ...order.shallow.selection, filter, includeTags, thin };
  const { repository } = context;
  const key = await answerKey(repository.format, repository.runtime, request, { limits, ofsDelta, signal });
  const onProgress = say && progressText(say);
  using seat = sharing.join(repository, key, request, { limits, ofsDelta }, onProgress);
  // The answer has a snapshot of its own: it may outlive this request.
  reader.release();
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
