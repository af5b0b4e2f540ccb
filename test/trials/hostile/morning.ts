/**
 * Scenarios one after another, and what held.
 *
 * @module
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bounds } from '../support/bounds.ts';
import { type PackwireOptions, PackwireProcess } from '../support/packwire-process.ts';
import { mebibytes, type ProcessFigures } from '../support/process-figures.ts';
import { fillRoot, repositoriesBelow, unsound } from '../support/served-root.ts';
import type { PackwireSettings } from '../support/server-config.ts';
import { type Judgement, WatchedServer } from '../support/watched-server.ts';
import { TAKEN } from './oversized-requests.ts';
import type { Finding, Ground, Scenario, SharedGround } from './scenario.ts';
import { warmUp } from './warm-up.ts';

export interface MorningOptions {
  /** An empty directory. */
  readonly scratch: string;
  /** Bare repositories to be copied and served; one is made up when there is none. */
  readonly repositories: readonly string[];
  readonly seconds: number;
  readonly clients: number;
  readonly command: PackwireOptions['command'];
  readonly bounds: Bounds;
  /** How often what attacks one server together is done: whether memory grows with it. Default once. */
  readonly times?: number | undefined;
  /** Milliseconds without use after which repositories are closed: what is open later was forgotten. Default 2 s. */
  readonly keepOpenMs?: number | undefined;
  /** Told of each row as it is known. */
  readonly onRow?: ((row: Row) => void) | undefined;
}

/** One scenario, or the end. */
export interface Row {
  readonly name: string;
  readonly seconds: number;
  readonly health?: Judgement['health'] | undefined;
  readonly peakBytes?: number | undefined;
  readonly descriptors?: readonly [before: number, after: number] | undefined;
  readonly figure: string;
  readonly broken: readonly string[];
  readonly skipped?: string | undefined;
}

const KEEP_OPEN_MS = 2_000;
/** Short, so that a morning sees it pass. */
const IDLE_MS = 5_000;

export async function runMorning(options: MorningOptions, scenarios: readonly Scenario[]): Promise<Row[]> {
  const rows: Row[] = [];
  const add = (row: Row): void => {
    rows.push(row);
    options.onRow?.(row);
  };
  if (scenarios.some(({ on }) => on === 'shared')) {
    const root = join(options.scratch, 'served');
    mkdirSync(root);
    const large = await fillRoot(root, options.repositories);
    await using server = await startShared(root, options);
    await warmUp(server, large, options.scratch);
    await server.settle();
    const rests: ProcessFigures[] = [];
    for (let time = 0; time < (options.times ?? 1); time++) {
      for (const scenario of scenarios) {
        if (scenario.on === 'shared') add(await runShared(scenario, server, large, options));
      }
      rests.push(await server.rested());
    }
    add(await theEnd(server, root, rests, options));
  }
  for (const scenario of scenarios) if (scenario.on === 'own') add(await runOwn(scenario, options));
  return rows;
}

function startShared(
  root: string,
  { command, bounds, keepOpenMs = KEEP_OPEN_MS }: MorningOptions,
): Promise<WatchedServer> {
  const settings: PackwireSettings = {
    root,
    limits: { ...TAKEN, idleTimeoutMs: IDLE_MS },
    keepOpenMs,
  };
  return WatchedServer.start(settings, { command }, bounds);
}

async function runShared(
  scenario: Extract<Scenario, { on: 'shared' }>,
  server: WatchedServer,
  large: readonly string[],
  options: MorningOptions,
): Promise<Row> {
  const skipped = scenario.skip?.();
  if (skipped !== undefined) return skippedRow(scenario, skipped);
  const ground: SharedGround = { ...groundOf(scenario, options), server, large };
  await server.begin();
  const before = server.before.descriptors;
  const began = performance.now();
  const finding = await scenario.run(ground).catch(failed);
  const seconds = (performance.now() - began) / 1000;
  return rowOf(scenario, seconds, finding, await server.judge(), before);
}

async function runOwn(scenario: Extract<Scenario, { on: 'own' }>, options: MorningOptions): Promise<Row> {
  const skipped = scenario.skip?.();
  if (skipped !== undefined) return skippedRow(scenario, skipped);
  const { command, bounds } = options;
  const watched: WatchedServer[] = [];
  const began = performance.now();
  try {
    const finding = await scenario
      .run({
        ...groundOf(scenario, options),
        start: (settings) => PackwireProcess.start(settings, { command }),
        watch: async (settings, within) => {
          const server = await WatchedServer.start(settings, { command, within }, bounds);
          watched.push(server);
          return server;
        },
      })
      .catch(failed);
    const seconds = (performance.now() - began) / 1000;
    const [server] = watched;
    if (server === undefined) return { name: scenario.name, seconds, ...finding };
    return rowOf(scenario, seconds, finding, await server.judge(), server.before.descriptors);
  } finally {
    for (const server of watched) await server[Symbol.asyncDispose]();
  }
}

function groundOf({ name }: Scenario, { scratch, seconds, clients, repositories }: MorningOptions): Ground {
  const own = join(scratch, name.replace(/\W+/g, '-'));
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own);
  return { scratch: own, seconds, clients, repositories };
}

function skippedRow({ name }: Scenario, skipped: string): Row {
  return { name, seconds: 0, figure: '', broken: [], skipped };
}

/** A scenario that throws has found something, too. */
function failed(error: unknown): Finding {
  return { figure: '', broken: [error instanceof Error ? (error.stack ?? error.message) : String(error)] };
}

function rowOf(
  { name }: Scenario,
  seconds: number,
  finding: Finding,
  { health, peakBytes, descriptors, broken }: Judgement,
  before: number,
): Row {
  return {
    name,
    seconds,
    health,
    peakBytes,
    descriptors: [before, descriptors],
    ...finding,
    broken: [...finding.broken, ...broken],
  };
}

/**
 * What must hold of the server and its repositories after all.
 *
 * @param rests its figures after each time, at rest
 */
async function theEnd(
  server: WatchedServer,
  root: string,
  rests: readonly ProcessFigures[],
  { bounds }: MorningOptions,
): Promise<Row> {
  const began = performance.now();
  const { settled } = server;
  const [first, after] = [rests[0], rests.at(-1)] as [ProcessFigures, ProcessFigures];
  const broken = await unsound(root, repositoriesBelow(root));
  const residents = rests.map(({ residentBytes }) => mebibytes(residentBytes)).join(', then ');
  const figure =
    `resident ${mebibytes(settled.residentBytes)} before, ${residents} after; ` +
    `descriptors ${settled.descriptors} before, ${after.descriptors} after`;
  const kept = after.residentBytes - settled.residentBytes;
  if (kept > bounds.keptBytes) broken.push(`${mebibytes(kept)} were kept`);
  const grown = after.residentBytes - first.residentBytes;
  if (grown > bounds.grownBytes)
    broken.push(`${mebibytes(grown)} more were kept after the last time than after the first`);
  if (after.descriptors > settled.descriptors + bounds.descriptors) broken.push('descriptors were kept');
  const ended = await server.process.stop();
  if (ended !== 0) broken.push(`the server ended with ${ended}`);
  return {
    name: 'the end',
    seconds: (performance.now() - began) / 1000,
    peakBytes: after.peakBytes,
    descriptors: [settled.descriptors, after.descriptors],
    figure,
    broken,
  };
}
