/**
 * Resolving all deltas of a scanned pack: in threads when they pay, inline otherwise, then what waits for bases
 * that only the repository has.
 *
 * @module
 */
import { yieldToOthers } from '../core/byte-stream.ts';
import { GitError, throwIfAborted } from '../core/errors.ts';
import { bytesToHex } from '../core/object-id.ts';
import { OFS_DELTA } from '../core/object-kind.ts';
import { DeltaResolver } from './delta-resolver.ts';
import type { EarlyResolution } from './early-resolution.ts';
import { EntryReader } from './entry-reader.ts';
import type { PackCheck } from './fsck/pack-check.ts';
import { hangLateDeltas } from './late-deltas.ts';
import { type RefBases, takeWaiting, untakenBases } from './ref-bases.ts';
import { resolvedCount, stopResolving } from './resolve-control.ts';
import { jobTerms, type ResolveJob } from './resolve-job.ts';
import type { ResolveOptions } from './resolve-options.ts';
import { type ResolverThreads, THREADS_FROM_BYTES, THREADS_FROM_DELTAS } from './resolver-threads.ts';
import type { PackEdges } from './self-containment.ts';
import type { SettledFamilies } from './settled-families.ts';
import { appendThinBase, type OpenPack } from './thin-completion.ts';

/** A pack whose entries have been scanned. */
export interface ScannedPack extends OpenPack {
  /** Given, the edges of every object that is made go there. */
  readonly edges?: PackEdges | undefined;
  /** Given, every object that is made is checked. */
  readonly check?: PackCheck | undefined;
  /** Whole objects to begin with, none of them in `families`. */
  readonly heavyRoots: Int32Array;
  readonly families: SettledFamilies;
  /** What may be under way with those. */
  readonly early: EarlyResolution;
  /** Bytes of all objects to be made. */
  readonly resolvedBytes: number;
  /** Whether much of that is in large objects. */
  readonly isMuchLarge: boolean;
}

/** Bytes made between two looks at the other work of the process: about 10 ms. */
const TURN_BYTES = 8 * 1024 * 1024;
const REPORT_MS = 100;
/** Entries asked for waiting deltas between two pauses. */
const ASK_ENTRIES = 65_536;

/**
 * @returns how many bases were appended to `pack`
 * @throws {GitError} as indexPack()
 */
export async function resolveDeltas(
  pack: ScannedPack,
  deltaCount: number,
  refBases: RefBases | undefined,
  options: ResolveOptions,
): Promise<number> {
  const { table, sink, edges, check, families, early } = pack;
  const { runtime, onProgress, signal } = options;
  if (refBases !== undefined) {
    for (let entry = 0; entry < table.count; entry++) {
      const isWhole = (table.columns.types[entry] as number) < OFS_DELTA;
      if (isWhole && !families.has(entry)) takeWaiting(refBases, table.columns, entry);
      if (entry % ASK_ENTRIES === ASK_ENTRIES - 1) await yieldToOthers();
    }
  }
  const job: ResolveJob = {
    ...jobTerms(table, early.control, options),
    phase: 'main',
    objectCount: table.count,
    refBases,
    familiesStart: families.end === 0 ? undefined : families.start,
    heavyRoots: pack.heavyRoots,
    isMuchLarge: pack.isMuchLarge,
  };
  const report = (finished: boolean) => {
    onProgress?.({
      title: 'Resolving deltas',
      done: resolvedCount(job.control),
      total: deltaCount,
      finished,
    });
  };

  const pays = deltaCount >= THREADS_FROM_DELTAS || pack.resolvedBytes >= THREADS_FROM_BYTES;
  if (early.threads !== undefined && pays) {
    await resolveInThreads(job, early.threads, report, signal);
  } else {
    await resolveInline(new DeltaResolver(job, runtime, sink, edges?.own, check?.own), report, signal);
  }
  await early.finish();
  await resolveLate(pack, job, report, options);
  const completedCount =
    refBases !== undefined && resolvedCount(job.control) < deltaCount
      ? await completeThinPack(pack, job, refBases, report, options)
      : 0;
  report(true);
  return completedCount;
}

async function resolveInline(
  resolver: DeltaResolver,
  report: (finished: boolean) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await runInTurns(resolver, report, signal);
  } finally {
    resolver.close();
  }
}

async function runInTurns(
  resolver: DeltaResolver,
  report: (finished: boolean) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  throwIfAborted(signal);
  while (!resolver.resolveSome(TURN_BYTES)) {
    report(false);
    await yieldToOthers();
    throwIfAborted(signal);
  }
}

async function resolveInThreads(
  job: ResolveJob,
  threads: ResolverThreads,
  report: (finished: boolean) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  throwIfAborted(signal);
  const stop = () => stopResolving(job.control);
  const reporting = setInterval(report, REPORT_MS, false);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const runs = Array.from({ length: threads.count }, () => threads.resolve(job));
    for (const outcome of await Promise.allSettled(runs)) {
      if (outcome.status === 'rejected') throw outcome.reason;
    }
  } finally {
    clearInterval(reporting);
    signal?.removeEventListener('abort', stop);
  }
  throwIfAborted(signal);
}

/** What came after its family was settled. */
async function resolveLate(
  { table, families, edges, check }: ScannedPack,
  job: ResolveJob,
  report: (finished: boolean) => void,
  { runtime, sink, signal }: ResolveOptions,
): Promise<void> {
  if (families.lateDeltas.length === 0 && (families.end === 0 || job.refBases === undefined)) return;
  const reader = new EntryReader(sink, table.format.idBytes, runtime);
  let roots: readonly number[];
  try {
    roots = await hangLateDeltas(table, families, job.refBases, reader);
  } finally {
    reader.close();
  }
  const resolver = new DeltaResolver({ ...job, phase: 'late' }, runtime, sink, edges?.own, check?.own);
  try {
    for (const root of roots) {
      resolver.startTree(root);
      await runInTurns(resolver, report, signal);
    }
  } finally {
    resolver.close();
  }
}

/**
 * One base after another, in the order of the deltas that wait for them: objects made from the first bases may be
 * the bases of later deltas, which then need none appended.
 */
async function completeThinPack(
  pack: ScannedPack,
  resolved: ResolveJob,
  refBases: RefBases,
  report: (finished: boolean) => void,
  { thinBases, runtime, limits, sink, signal }: ResolveOptions,
): Promise<number> {
  const { table } = pack;
  const bases = untakenBases(refBases);
  if (thinBases === undefined) throw missingBase(pack, refBases, bases[0] as number);

  const before = table.count;
  table.reserve(before + bases.length);
  const job = { ...resolved, columns: table.columns };
  const resolver = new DeltaResolver(job, runtime, sink, undefined, pack.check?.own);
  try {
    for (const base of bases) {
      if (refBases.taken[base] !== 0) continue;
      const entry = await appendThinBase(pack, refBases, base, thinBases, runtime, limits);
      if (entry === undefined) continue; // an object made from a later base may still be it
      resolver.startTree(entry);
      await runInTurns(resolver, report, signal);
    }
  } finally {
    resolver.close();
  }
  for (const base of bases) if (refBases.taken[base] === 0) throw missingBase(pack, refBases, base);
  return table.count - before;
}

function missingBase({ table }: OpenPack, refBases: RefBases, base: number): GitError {
  const id = bytesToHex(refBases.ids, base * refBases.idBytes, refBases.idBytes);
  const offset = table.columns.offsets[refBases.firstDelta[base] as number] as number;
  return new GitError(
    'OBJECT_MISSING',
    `Cannot resolve delta: its base ${id} is neither whole in the pack nor in the repository (entry at offset ${offset})`,
    { base: id, offset },
  );
}
