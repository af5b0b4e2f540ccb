/**
 * Mixed traffic at full load for some time, and what it leaves behind.
 *
 * @module
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bounds } from '../support/bounds.ts';
import type { ProbeReport } from '../support/health-probe.ts';
import { type KnownUser, makeKnownUser } from '../support/known-user.ts';
import type { PackwireOptions } from '../support/packwire-process.ts';
import { fillRoot, refsOf, unsound } from '../support/served-root.ts';
import { HOST } from '../support/server-config.ts';
import { WatchedServer } from '../support/watched-server.ts';
import { type Growth, growthOf, laterHalf, type Sample } from './growth.ts';
import { type Operation, type Outcome, SoakClient } from './soak-client.ts';

export interface SoakOptions {
  /** An empty directory. */
  readonly scratch: string;
  readonly repositories: readonly string[];
  readonly seconds: number;
  readonly clients: number;
  readonly command: PackwireOptions['command'];
  readonly bounds: Bounds;
  /** Told from time to time how it goes. */
  readonly onProgress?: ((line: string) => void) | undefined;
}

export interface SoakResult {
  readonly seconds: number;
  readonly operations: Readonly<Record<string, OperationFigures>>;
  readonly health: ProbeReport;
  /** Milliseconds: the worst delay of the server's event loop in each second, and how often it was so. */
  readonly loopDelay: { readonly medianMs: number; readonly p99Ms: number; readonly worstMs: number };
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  /** Resident bytes over the later half. */
  readonly memory: Growth;
  readonly descriptors: { readonly before: number; readonly most: number; readonly after: number };
  readonly residentBytes: { readonly before: number; readonly after: number };
  /** What did not hold, one sentence each. */
  readonly broken: readonly string[];
  readonly samples: readonly Sample[];
}

export interface OperationFigures {
  readonly done: number;
  readonly turnedAway: number;
  readonly failed: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

const KEEP_OPEN_MS = 2_000;
/** Everybody may read, over git:// too; who has a name may write. */
const RULES = [
  { repositories: ['**'], subjects: ['@users'], allow: ['write', 'force', 'delete', 'create'] },
  { repositories: ['**'], subjects: ['@all'], allow: ['read'] },
];
const SAMPLE_MS = 2_000;
const PROGRESS_SAMPLES = 30;
/** Growth of the later half that counts as none: so much of the mean, and so much at least. */
const GROWTH_PART = 0.05;
const GROWTH_BYTES = 32 * 1024 * 1024;
const CAUSED_BY_CLIENTS = /Stopped: /;
const SHOWN_FAILURES = 5;
const MIB = 1024 * 1024;

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const root = join(options.scratch, 'served');
  mkdirSync(root);
  const names = await fillRoot(root, options.repositories);
  const user = makeKnownUser(options.scratch);
  const loopDelays: number[] = [];
  await using server = await WatchedServer.start(
    {
      root,
      keepOpenMs: KEEP_OPEN_MS,
      git: true,
      ssh: user.sshCommand === undefined ? undefined : { hostKeys: join(options.scratch, 'host-keys') },
      access: { file: user.accessFile, rules: RULES },
    },
    { command: options.command, onLoopDelay: (worstMs) => void loopDelays.push(worstMs) },
    options.bounds,
  );
  const clients = Array.from({ length: options.clients }, (_, n) =>
    clientOf(server, names, user, options, n),
  );
  for (const { client } of clients) await client.step();
  await server.settle();
  await server.begin();
  loopDelays.length = 0;

  const before = server.before;
  const outcomes: Outcome[] = [];
  const samples: Sample[] = [];
  const open: number[] = [];
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  const sampling = (async () => {
    while (elapsed() < options.seconds && server.process.isRunning) {
      const { residentBytes, descriptors } = server.process.figures();
      samples.push({ atSeconds: elapsed(), value: residentBytes });
      open.push(descriptors);
      if (samples.length % PROGRESS_SAMPLES === 0) {
        const failed = outcomes.filter(({ kind }) => kind === 'failed').length;
        options.onProgress?.(
          `${elapsed().toFixed(0)} s: ${outcomes.length} operations, ${failed} failed, ` +
            `${(residentBytes / MIB).toFixed(0)} MiB, ${descriptors} descriptors`,
        );
      }
      await sleep(SAMPLE_MS);
    }
  })();
  await Promise.all(
    clients.map(async ({ client }) => {
      while (elapsed() < options.seconds && server.process.isRunning) outcomes.push(await client.step());
    }),
  );
  await sampling;

  const seconds = elapsed();
  const { cpuSeconds } = server.process.figures();
  const judgement = await server.judge();
  const after = server.process.isRunning ? await server.rested() : judgement;
  const memory = growthOf(laterHalf(samples));
  const broken = [
    ...judgement.broken,
    ...failuresOf(outcomes),
    ...clients.flatMap(({ client, name }) => client.promises.broken(refsOf(join(root, name)))),
    ...(await unsound(root, names)),
    ...complaintsOf(server.process.log),
  ];
  if (memory.gained > Math.max(GROWTH_BYTES, memory.mean * GROWTH_PART)) {
    broken.push(`memory grew by ${(memory.gained / MIB).toFixed(0)} MiB over the later half`);
  }
  return {
    seconds,
    operations: figuresOf(outcomes),
    health: judgement.health,
    loopDelay: delaysOf(loopDelays),
    cpuSeconds: cpuSeconds - before.cpuSeconds,
    peakBytes: judgement.peakBytes,
    memory,
    descriptors: { before: before.descriptors, most: Math.max(...open), after: after.descriptors },
    residentBytes: { before: before.residentBytes, after: after.residentBytes },
    broken,
    samples,
  };
}

function clientOf(
  server: WatchedServer,
  names: readonly string[],
  { httpLogin, sshCommand }: KnownUser,
  { scratch }: SoakOptions,
  n: number,
) {
  const name = names[n % names.length] as string;
  const directory = join(scratch, `client-${n}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const { http, ssh } = server.process.ports;
  const urls = [
    `http://${httpLogin}@${HOST}:${http}/${name}`,
    ...(sshCommand === undefined ? [] : [`ssh://git@${HOST}:${ssh}/${name}`]),
  ];
  const archiveUrl = `git://${HOST}:${server.process.ports.git}/${name}`;
  return { name, client: new SoakClient({ directory, urls, archiveUrl, number: n, sshCommand }) };
}

function failuresOf(outcomes: readonly Outcome[]): string[] {
  const failed = outcomes.filter(({ kind }) => kind === 'failed');
  const shown = failed.slice(0, SHOWN_FAILURES).map(({ operation, words }) => `${operation}: ${words}`);
  if (failed.length > shown.length) shown.push(`${failed.length} operations failed in all`);
  return shown;
}

/** What the server reported that no client did to it by going away. */
function complaintsOf(log: string): string[] {
  const lines = log.split('\n').filter((line) => line.startsWith('error:') && !CAUSED_BY_CLIENTS.test(line));
  return [...new Set(lines)].slice(0, SHOWN_FAILURES).map((line) => `the server reported ${line}`);
}

function figuresOf(outcomes: readonly Outcome[]): Record<string, OperationFigures> {
  const byOperation = new Map<Operation, Outcome[]>();
  for (const outcome of outcomes) {
    const known = byOperation.get(outcome.operation);
    if (known === undefined) byOperation.set(outcome.operation, [outcome]);
    else known.push(outcome);
  }
  const count = (of: readonly Outcome[], kind: Outcome['kind']): number =>
    of.filter((outcome) => outcome.kind === kind).length;
  return Object.fromEntries(
    [...byOperation].map(([operation, of]) => {
      const sorted = of.map(({ ms }) => ms).sort((a, b) => a - b);
      const figures: OperationFigures = {
        done: count(of, 'done'),
        turnedAway: count(of, 'turned away'),
        failed: count(of, 'failed'),
        medianMs: quantile(sorted, 0.5),
        p99Ms: quantile(sorted, 0.99),
      };
      return [operation, figures];
    }),
  );
}

function delaysOf(delays: readonly number[]): SoakResult['loopDelay'] {
  const sorted = [...delays].sort((a, b) => a - b);
  return { medianMs: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99), worstMs: quantile(sorted, 1) };
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
}
