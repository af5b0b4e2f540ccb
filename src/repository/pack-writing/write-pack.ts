/**
 * Writing a pack for a fetch or clone: stored bytes wherever the receiver can use them, deltas searched for the rest.
 * Spec: gitformat-pack(5).
 *
 * @module
 */
import type { Cancellable, ProgressListener } from '../../core/byte-stream.ts';
import { equalBytes } from '../../core/bytes.ts';
import { GitError, throwIfAborted } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { formatPackHeader, MAX_PACK_OBJECTS } from '../../pack/pack-header.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { ObjectSelection } from '../object-selection.ts';
import { Pace } from '../pace.ts';
import { CopiedPack } from './copied-pack.ts';
import { MOST_SEARCHED_BYTES, searchDeltas } from './delta-search.ts';
import { type EncodeContext, writeEncoded } from './encoded-objects.ts';
import { PackOutput } from './pack-output.ts';
import type { PackPlan } from './pack-plan.ts';
import { planPack } from './plan.ts';
import { StoredEntries } from './stored-entries.ts';

export interface PackWritingOptions extends Cancellable {
  readonly runtime: Runtime;
  readonly limits: Limits;
  /** Allow deltas against what `selection.receiverHas` without sending the base. */
  readonly thin: boolean;
  /** The receiver reads OFS_DELTA entries. */
  readonly ofsDelta: boolean;
  /** Told of `Compressing objects`, when there is anything to compress. */
  readonly onProgress?: ProgressListener | undefined;
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
 * The pack of the selected objects, in chunks of at most 65515 bytes (a side-band-64k packet's worth), each owned
 * by the receiver.
 *
 * Memory: some 40 bytes an object, a delta window of 48 MiB at most, and nothing that grows with their sizes.
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
  selection: ObjectSelection,
  options: PackWritingOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const { runtime, limits, signal } = options;
  throwIfAborted(signal);
  if (selection.count > MAX_PACK_OBJECTS) {
    throw new GitError(
      'LIMIT_EXCEEDED',
      `Cannot write pack: a pack holds at most ${MAX_PACK_OBJECTS} objects`,
    );
  }
  const pace = new Pace(signal);
  const mostHeldBytes = Math.min(MOST_SEARCHED_BYTES, limits.maxDeltaObjectBytes);
  const plan = await planPack(reader, selection, options, pace);
  const found = await searchDeltas(
    reader,
    selection,
    plan,
    { thin: options.thin, mostBytes: mostHeldBytes, onProgress: options.onProgress },
    pace,
  );

  const output = new PackOutput(runtime, selection.format);
  output.append(formatPackHeader(plan.count), 0, 12);
  const written = new Float64Array(plan.count);
  const context: EncodeContext = {
    reader,
    selection,
    plan,
    found,
    runtime,
    ofsDelta: options.ofsDelta,
    mostHeldBytes,
    written,
    output,
    pace,
    encoded: { objects: 0, deltas: 0 },
  };

  let reusedDeltas = plan.reusedDeltaCount;
  for (let number = 0; number < reader.packs.length; number++) {
    if (plan.packStarts[number] === plan.packStarts[number + 1]) continue;
    const pack = reader.packs[number] as StoredPack;
    if (plan.copiedPacks[number] === 1) {
      const copied = new CopiedPack(pack, number, plan, written, output);
      while (copied.fill(output) === 'full') {
        yield output.take();
        if (pace.isDue()) await pace.rest();
      }
      reusedDeltas += copied.deltaCount;
      continue;
    }
    const entries = new StoredEntries(pack, number, plan, selection, options.ofsDelta, written);
    for (let step = entries.fill(output); step !== 'done'; step = entries.fill(output)) {
      if (step === 'full') yield output.take();
      else yield* writeEncoded(context, step);
      if (pace.isDue()) await pace.rest();
    }
  }
  for (let position = plan.packStarts[reader.packs.length] as number; position < plan.count; position++) {
    yield* writeEncoded(context, position);
  }

  const last = output.take();
  if (last.length > 0) yield last;
  throwIfAborted(signal);
  const bytes = output.position + selection.format.idBytes;
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
function verifyCopy(reader: ObjectReader, plan: PackPlan, bytes: number, trailer: Uint8Array): void {
  const only = plan.copiedPacks.indexOf(1);
  if (only < 0 || plan.count !== reader.packs[only]?.index.objectCount) return;
  const { index, file, name } = reader.packs[only] as StoredPack;
  if (file.sizeBytes === bytes && !equalBytes(trailer, index.packChecksum)) {
    throw new GitError('PACK_CORRUPT', `Cannot send ${name}: its bytes do not have the hash in its trailer`, {
      pack: name,
    });
  }
}
