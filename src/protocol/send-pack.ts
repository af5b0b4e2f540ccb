/**
 * The pack on its way to the client: chosen, written, put into bands with the progress text that goes with it.
 * Spec: gitprotocol-pack(5), "Packfile Data".
 *
 * @module
 */
import type { ProgressListener } from '../core/byte-stream.ts';
import type { ObjectId } from '../core/object-id.ts';
import { LARGE_WORK_OBJECTS } from '../core/runtime.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import type { ObjectFilter } from '../repository/object-filter.ts';
import { planPack } from '../repository/pack-writing/plan-pack.ts';
import { type PackWritingResult, writePack } from '../repository/pack-writing/write-pack.ts';
import type { WritePlan } from '../repository/pack-writing/write-plan.ts';
import { selectObjects } from '../repository/select-objects.ts';
import { WalkPermit } from '../repository/walk-gate.ts';
import type { FetchContext } from './fetch-context.ts';
import { readIncludableTags } from './include-tags.ts';
import { FLUSH_PACKET } from './pkt-line.ts';
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
    yield* packOf(context, reader, order, { signal });
    return;
  }
  context.channel = { kind: 'bands', maxPacketBytes: bandPacketBytes };
  yield* multiplex(
    (bandTwo, stop) => {
      const say = order.noProgress ? undefined : (text: string) => bandTwo.write(text);
      return packOf(context, reader, order, { signal: stop, say });
    },
    { maxPacketBytes: bandPacketBytes, keepaliveMs: limits.keepaliveMs, signal },
  );
  context.channel = { kind: 'packets' };
  yield FLUSH_PACKET;
}

interface PackOptions {
  readonly signal: AbortSignal | undefined;
  /** Takes progress for the user's terminal. */
  readonly say?: ((text: string) => void) | undefined;
}

async function* packOf(
  context: FetchContext,
  reader: ObjectReader,
  order: PackOrder,
  { signal, say }: PackOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const plan = await planOf(context, reader, order, { signal, say });
  const { runtime } = context.repository;
  // A slow client may take hours from here; what the selection held should not stay as long.
  if (plan.count >= LARGE_WORK_OBJECTS) runtime.collectGarbage?.();
  let written: PackWritingResult | undefined;
  yield* writePack(reader, plan, {
    runtime,
    limits: context.options.limits,
    ofsDelta: order.ofsDelta,
    signal,
    onResult: (result) => {
      written = result;
    },
  });
  if (written !== undefined) say?.(totalLine(written));
}

/** The selection lives and dies in here, and a large one holds its place among the large walks as long. */
async function planOf(
  context: FetchContext,
  reader: ObjectReader,
  order: PackOrder,
  { signal, say }: PackOptions,
): Promise<WritePlan> {
  const { limits } = context.options;
  const onProgress: ProgressListener | undefined = say && progressText(say);
  using permit = new WalkPermit();
  const selection = await selectObjects(
    reader,
    {
      wants: order.wants,
      haves: order.haves,
      ...order.shallow.selection,
      filter: order.filter,
      includeTags: order.includeTag ? await readIncludableTags(context, reader) : undefined,
      thin: order.thinPack,
    },
    { limits, onProgress, signal, permit },
  );
  const { thinPack: thin, ofsDelta } = order;
  return await planPack(reader, selection, { limits, thin, ofsDelta, signal, onProgress });
}

function totalLine({ objects, deltas, reusedObjects, reusedDeltas }: PackWritingResult): string {
  return `Total ${objects} (delta ${deltas}), reused ${reusedObjects} (delta ${reusedDeltas}), pack-reused 0\n`;
}
