/**
 * Writing a pack for a fetch or clone: stored bytes wherever the receiver can use them, deltas searched for the rest.
 * Spec: gitformat-pack(5).
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { equalBytes } from '../../core/bytes.ts';
import { GitError, throwIfAborted } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { formatPackHeader } from '../../pack/pack-header.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import { CopiedEntries } from './copied-entries.ts';
import { CopiedPack } from './copied-pack.ts';
import { mostHeldBytes } from './delta-search.ts';
import { type EncodeContext, writeEncoded } from './encoded-objects.ts';
import { type CopyListener, PackOutput } from './pack-output.ts';
import { StoredEntries } from './stored-entries.ts';
import type { WritePlan } from './write-plan.ts';
import { WrittenOffsets } from './written-offsets.ts';

export interface PackWritingOptions extends Cancellable {
  readonly runtime: Runtime;
  readonly limits: Limits;
  /** As the pack was planned. */
  readonly ofsDelta: boolean;
  /** Told of all that is copied in long ranges, so that several readers can take it from there again. */
  readonly onCopy?: CopyListener | undefined;
  /** Told once, before the trailer is yielded. */
  readonly onResult?: ((result: PackWritingResult) => void) | undefined;
}

/** The numbers of git's line `Total 9 (delta 2), reused 7 (delta 1), pack-reused 0`. */
export interface PackWritingResult {
  readonly objects: number;
  readonly deltas: number;
  /** Objects sent as they were stored, deltas included. */
  readonly reusedObjects: number;
  readonly reusedDeltas: number;
  /** Bytes of the pack, header and trailer included. */
  readonly bytes: number;
}

/**
 * The pack as it was planned, in chunks of at most 65515 bytes (a side-band-64k packet's worth), each owned
 * by the receiver.
 *
 * Memory: what the plan holds (see there), 8 bytes for each object that is not copied, 16 for each gap in what is
 * copied of a pack, and nothing that grows with their sizes.
 * The trailer is yielded last, after everything else has succeeded; a consumer that got an error has an incomplete
 * pack. Stored bytes are not inflated on their way: only the receiver, or the trailer of a pack
 * that is sent whole, can tell that they are sound.
 *
 * The reader must stay open until the generator is finished or returned.
 *
 * @throws {GitError} OBJECT_MISSING with `detail.id`, before anything is yielded unless it vanishes under us;
 * PACK_CORRUPT, OBJECT_CORRUPT, STORAGE_FAILED, LIMIT_EXCEEDED, ABORTED
 */
export async function* writePack(
  reader: ObjectReader,
  plan: WritePlan,
  options: PackWritingOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const { runtime, limits, signal } = options;
  throwIfAborted(signal);
  const pace = new Pace(signal);
  const { packs } = reader;
  const output = new PackOutput(runtime, plan.format, options.onCopy);
  output.append(formatPackHeader(plan.count), 0, 12);
  const written = new WrittenOffsets(plan);
  const context: EncodeContext = {
    reader,
    plan,
    runtime,
    ofsDelta: options.ofsDelta,
    mostHeldBytes: mostHeldBytes(limits),
    written,
    output,
    pace,
    encoded: { objects: 0, deltas: 0 },
  };

  let reusedDeltas = plan.reusedDeltaCount;
  for (const { pack: number, entries } of plan.copied) {
    const pack = packs[number] as StoredPack;
    const runs = written.runsOf(number);
    const copy =
      entries === undefined && options.ofsDelta
        ? new CopiedPack(pack, output.position, runs)
        : new CopiedEntries(pack, entries, options.ofsDelta, runs);
    while (copy.fill(output) === 'full') {
      yield output.take();
      if (pace.isDue()) await pace.rest();
    }
    reusedDeltas += copy.deltaCount;
  }
  const packCount = plan.slotStarts.length - 1;
  for (let number = 0; number < packCount; number++) {
    if (plan.slotStarts[number] === plan.slotStarts[number + 1]) continue;
    const entries = new StoredEntries(packs, number, plan, options.ofsDelta, written);
    for (let step = entries.fill(output); step !== 'done'; step = entries.fill(output)) {
      if (step === 'full') yield output.take();
      else yield* writeEncoded(context, step);
      if (pace.isDue()) await pace.rest();
    }
  }
  for (let slot = plan.slotStarts[packCount] as number; slot < plan.slotCount; slot++) {
    yield* writeEncoded(context, slot);
  }

  const last = output.take();
  if (last.length > 0) yield last;
  throwIfAborted(signal);
  const bytes = output.position + plan.format.idBytes;
  const trailer = output.trailer();
  verifyCopy(reader, plan, bytes, trailer);
  options.onResult?.({
    objects: plan.count,
    deltas: context.encoded.deltas + reusedDeltas,
    reusedObjects: plan.count - context.encoded.objects,
    reusedDeltas,
    bytes,
  });
  yield trailer;
}

/** A pack that is one stored pack byte for byte has that pack's trailer, or a byte of it has changed on the disk. */
function verifyCopy(reader: ObjectReader, plan: WritePlan, bytes: number, trailer: Uint8Array): void {
  const [only] = plan.copied;
  if (only === undefined || only.entries !== undefined || plan.count !== only.count) return;
  const { index, file, name } = reader.packs[only.pack] as StoredPack;
  if (file.sizeBytes === bytes && !equalBytes(trailer, index.packChecksum)) {
    throw new GitError('PACK_CORRUPT', `Cannot send ${name}: its bytes do not have the hash in its trailer`, {
      pack: name,
    });
  }
}
