/**
 * Receiving a pack: scan it as it arrives, resolve its deltas, complete it if it is thin, and give its index.
 * What `git index-pack --stdin --fix-thin` does. Spec: gitformat-pack(5).
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { GitError, throwIfAborted } from '../core/errors.ts';
import { createObjectHasher } from '../core/object-hasher.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import { Pace } from '../core/pace.ts';
import { EarlyResolution, type ScanProgress } from './early-resolution.ts';
import type { FsckFindings } from './fsck/findings.ts';
import { PackCheck } from './fsck/pack-check.ts';
import type { FsckRules } from './fsck/rules.ts';
import { sortingByIds } from './id-order.ts';
import { encodePackIndex } from './idx-format.ts';
import type { ObjectTable } from './object-table.ts';
import { PackScanner } from './pack-scanner.ts';
import { collectRefBases } from './ref-bases.ts';
import { resolveDeltas } from './resolve-deltas.ts';
import type { ResolveOptions } from './resolve-options.ts';
import { THREADS_FROM_DELTAS } from './resolver-threads.ts';
import { encodeReverseIndex } from './rev-format.ts';
import { PackEdges } from './self-containment.ts';
import { formatObjectCount } from './thin-completion.ts';

export interface IndexPackOptions extends ResolveOptions {
  readonly format: ObjectFormat;
  /**
   * True: stop reading at the trailer and leave the input open, for a peer that waits for an answer before it ends
   * its stream. False: read on to the end of the input, and refuse bytes after the trailer.
   */
  readonly allowTrailingBytes?: boolean | undefined;
  /** Find out whether the pack is self-contained. Costs some percent of the time, and saves a walk. */
  readonly findSelfContained?: boolean | undefined;
  /** Check commits, trees and tags: `git index-pack --strict`. */
  readonly fsck?: FsckRules | undefined;
}

export interface IndexedPack {
  /** Entries of the pack as it is now, appended bases included. They stand last. */
  readonly objectCount: number;
  readonly deltaCount: number;
  /** Bases that were appended to complete a thin pack. */
  readonly completedCount: number;
  /** The pack's trailer, raw: the new one if the pack was completed. */
  readonly checksum: Uint8Array;
  readonly sizeBytes: number;
  /** Bytes of the largest object, deltas resolved. */
  readonly largestObjectBytes: number;
  readonly table: ObjectTable;
  /**
   * True: all objects parse, and all that they refer to is in the pack too, of the kind they say; gitlinks apart.
   * False: something may be elsewhere, missing or wrong. Absent when it was not asked for.
   */
  readonly isSelfContained?: boolean | undefined;
  /**
   * What the check of its objects found: an error among it is for the caller to act on, and `.gitmodules` and
   * `.gitattributes` are left for the caller to check. Absent when it was not asked for.
   */
  readonly findings?: FsckFindings | undefined;
  /** Its entries, sorted by id. */
  readonly order: Int32Array;
  /** The .idx file in chunks, byte for byte as git writes it. */
  encodeIndex(): Iterable<Uint8Array>;
  /** The .rev file in chunks. */
  encodeReverseIndex(): Iterable<Uint8Array>;
}

/** Scanned without a pause; larger chunks are taken in several turns. */
const TURN_BYTES = 64 * 1024;
/** From so many on, what the scan leaves behind (4 MB of messages that were hashed) is given back before deltas are resolved. */
const COLLECT_FROM_DELTAS = 200_000;
/** Threads are started so long before they are needed: they take 15 to 40 ms. */
const WARM_UP_MS = 100;
const REHASH_BYTES = 256 * 1024;

/**
 * Index the pack that `input` brings.
 *
 * Memory grows with the number of objects that have arrived (41 bytes each, 4 more for their order), not with their
 * bytes. `input` is read once, one chunk ahead of the sink. It is never closed from here: after an error its owner may
 * still have to answer over the same connection.
 *
 * @throws {GitError} SHA1_COLLISION with `detail.id`; PACK_CORRUPT or LIMIT_EXCEEDED with `detail.offset`, the place in the pack; UNSUPPORTED for
 * another pack version; OBJECT_MISSING with `detail.base`; OBJECT_CORRUPT when a base in the repository is broken;
 * STORAGE_FAILED; ABORTED
 */
export async function indexPack(input: ByteStream, options: IndexPackOptions): Promise<IndexedPack> {
  const edges = options.findSelfContained === true ? new PackEdges(options.format, options.sink) : undefined;
  try {
    return await index(input, edges, options);
  } finally {
    edges?.close();
  }
}

async function index(
  input: ByteStream,
  edges: PackEdges | undefined,
  options: IndexPackOptions,
): Promise<IndexedPack> {
  const { format, runtime, limits, collisionDetection = true } = options;
  const scanner = new PackScanner(
    format,
    runtime,
    limits,
    createObjectHasher(runtime, format, collisionDetection),
  );
  const check = options.fsck && new PackCheck(format, options.fsck);
  scanner.objects.edges = edges?.own;
  scanner.objects.checker = check?.own;
  const early = new EarlyResolution(scanner, edges, check, options);
  try {
    try {
      await receive(input, scanner, early, options);
    } finally {
      scanner.close();
    }
    return await complete(scanner, early, edges, check, options);
  } catch (error) {
    await early.abandon(); // it reads what is about to be discarded
    throw error;
  }
}

/** From a pack that is scanned to one that is whole, with all ids. */
async function complete(
  scanner: PackScanner,
  early: EarlyResolution,
  edges: PackEdges | undefined,
  check: PackCheck | undefined,
  options: IndexPackOptions,
): Promise<IndexedPack> {
  const { runtime, limits, sink } = options;
  const { table, deltaCount, families, sums } = scanner;
  early.end();
  if (deltaCount >= COLLECT_FROM_DELTAS) runtime.collectGarbage?.();
  const pack = {
    table,
    sink,
    bodyBytes: scanner.bodyBytes,
    edges,
    check,
    heavyRoots: scanner.heavyTrees.roots().filter((root) => !families.has(root)),
    families,
    early,
    resolvedBytes: sums.resolvedBytes,
    isMuchLarge: sums.isMuchLarge,
  };
  const refBases = collectRefBases(table, scanner.refDeltaCount);
  const completedCount = deltaCount === 0 ? 0 : await resolveDeltas(pack, deltaCount, refBases, options);

  const checksum = completedCount === 0 ? scanner.trailer : await rewriteHeader(pack, options);
  await sink.write(checksum);

  const order = await orderById(table, options.signal);
  // What the appended bases refer to was not recorded.
  const isSelfContained =
    edges && completedCount === 0 && (await edges.areInside(table, order, limits.maxTreeDepth, options));
  return {
    objectCount: table.count,
    deltaCount,
    completedCount,
    checksum,
    sizeBytes: pack.bodyBytes + checksum.length,
    largestObjectBytes: sums.largestObjectBytes,
    table,
    isSelfContained,
    findings: check?.finish(table),
    order,
    encodeIndex: () => encodePackIndex(table, order, checksum, runtime),
    encodeReverseIndex: () => encodeReverseIndex(table, order, checksum, runtime),
  };
}

/** Scan and write down, one chunk ahead of the disk: while it takes one, the next is parsed. */
async function receive(
  input: ByteStream,
  scanner: PackScanner,
  early: EarlyResolution,
  options: IndexPackOptions,
): Promise<void> {
  const { sink, limits, tasks, onProgress, signal, allowTrailingBytes = false } = options;
  const chunks = input[Symbol.asyncIterator]();
  // Settled results, so that a failed write cannot go unhandled while we wait for the next chunk.
  let writing: Promise<PromiseSettledResult<void>[]> = Promise.resolve([]);
  /** Of the scan, at the end of what is being written. */
  let progress: ScanProgress | undefined;
  let receivedBytes = 0;
  const pace = new Pace(signal);
  const began = performance.now();
  const isNearlyDone = () => {
    const { count } = scanner.table;
    const left = ((performance.now() - began) * (scanner.declaredCount - count)) / count;
    return left < WARM_UP_MS;
  };
  const report = (finished: boolean) => {
    if (scanner.phase === 'header') return;
    onProgress?.({
      title: 'Receiving objects',
      done: scanner.table.count,
      total: scanner.declaredCount,
      bytes: receivedBytes,
      finished,
    });
  };

  try {
    while (!scanner.isDone) {
      throwIfAborted(signal);
      const next = await chunks.next();
      if (next.done) scanner.failTruncated();
      const chunk = next.value;
      for (let at = 0; at < chunk.length; ) {
        const end = Math.min(chunk.length, at + TURN_BYTES);
        const seenBytes = receivedBytes + end - at;
        if (seenBytes > limits.maxPackBytes) throw packTooLarge(limits.maxPackBytes, seenBytes);
        const bodyBefore = scanner.bodyBytes;
        const stopped = scanner.scan(chunk, at, end);
        receivedBytes += stopped - at;
        const body = chunk.subarray(at, at + scanner.bodyBytes - bodyBefore);
        throwRejected(await writing);
        if (progress !== undefined) early.offer(progress);
        if (body.length > 0) writing = Promise.allSettled([sink.write(body)]);
        progress = { reached: scanner.families.reached, resolvedBytes: scanner.sums.resolvedBytes };
        at = stopped;
        if (scanner.isDone) {
          if (at < chunk.length && !allowTrailingBytes) throw trailingBytes(scanner);
          break;
        }
        if (pace.isDue()) await pace.rest();
      }
      if (scanner.deltaCount >= THREADS_FROM_DELTAS && isNearlyDone()) tasks?.warmUp();
      report(false);
    }
    throwRejected(await writing);
    while (!allowTrailingBytes) {
      const next = await chunks.next();
      if (next.done) break;
      if (next.value.length > 0) throw trailingBytes(scanner);
    }
    throwIfAborted(signal);
  } finally {
    await writing;
  }
  report(true);
}

function throwRejected(outcomes: readonly PromiseSettledResult<void>[]): void {
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

function packTooLarge(limit: number, receivedBytes: number): GitError {
  return new GitError(
    'LIMIT_EXCEEDED',
    `Cannot read pack: it may have at most ${limit} bytes, more have come`,
    {
      limit,
      offset: receivedBytes,
    },
  );
}

function trailingBytes(scanner: PackScanner): GitError {
  const offset = scanner.bodyBytes + scanner.trailer.length;
  return new GitError('PACK_CORRUPT', `Cannot read pack: bytes follow its trailer, which ends at ${offset}`, {
    offset,
  });
}

/** Put the new count of a completed pack in its header, and hash it again. @returns the new trailer */
async function rewriteHeader(
  pack: { readonly table: ObjectTable; readonly bodyBytes: number },
  { format, runtime, sink, signal }: IndexPackOptions,
): Promise<Uint8Array> {
  await sink.overwrite(8, formatObjectCount(pack.table.count));
  const hash = runtime.createHash(format);
  const buffer = new Uint8Array(REHASH_BYTES);
  const pace = new Pace(signal);
  for (let at = 0; at < pack.bodyBytes; ) {
    const read = sink.readInto(at, buffer, 0, Math.min(buffer.length, pack.bodyBytes - at));
    if (read === 0) {
      throw new GitError('STORAGE_FAILED', `Cannot read pack back: it ends before ${at}`, { position: at });
    }
    hash.update(buffer.subarray(0, read));
    at += read;
    if (pace.isDue()) await pace.rest();
  }
  return hash.digest();
}

async function orderById(table: ObjectTable, signal: AbortSignal | undefined): Promise<Int32Array> {
  const order = new Int32Array(table.count);
  for (let entry = 0; entry < order.length; entry++) order[entry] = entry;
  const pace = new Pace(signal);
  for (const _step of sortingByIds(order, table.columns.ids, table.columns.idBytes)) {
    if (pace.isDue()) await pace.rest();
  }
  return order;
}
