/**
 * A server and its probe, and what must hold of them whatever is done to the server.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bounds, DEFAULT_BOUNDS } from './bounds.ts';
import { HealthProbe, type ProbeReport } from './health-probe.ts';
import { leftOvers } from './left-overs.ts';
import { type PackwireOptions, PackwireProcess } from './packwire-process.ts';
import { mebibytes, openFiles, type ProcessFigures } from './process-figures.ts';
import type { PackwireSettings } from './server-config.ts';
import { becomesTrue } from './waiting.ts';

/** The probe's own connections come and go. */
const PROBE_DESCRIPTORS = 2;

/** What was seen since the last judgement. */
export interface Judgement {
  readonly health: ProbeReport;
  readonly peakBytes: number;
  readonly residentBytes: number;
  readonly descriptors: number;
  /** What did not hold, one sentence each. */
  readonly broken: readonly string[];
}

export class WatchedServer implements AsyncDisposable {
  readonly process: PackwireProcess;
  /** Where this process sees the server's repositories. */
  readonly root: string;
  readonly #probe: HealthProbe;
  readonly #bounds: Bounds;
  #before: ProcessFigures;
  #settled: ProcessFigures;

  private constructor(process: PackwireProcess, root: string, probe: HealthProbe, bounds: Bounds) {
    this.process = process;
    this.root = root;
    this.#probe = probe;
    this.#bounds = bounds;
    this.#before = process.figures();
    this.#settled = this.#before;
  }

  static async start(
    settings: PackwireSettings,
    options: PackwireOptions,
    bounds: Bounds = DEFAULT_BOUNDS,
  ): Promise<WatchedServer> {
    const server = await PackwireProcess.start(settings, options);
    // A mount that only the server has is seen through it; without one the path leads to the same place.
    const root = options.within === undefined ? settings.root : `/proc/${server.pid}/root${settings.root}`;
    const probe = await HealthProbe.start(server.ports);
    return new WatchedServer(server, root, probe, bounds);
  }

  get port(): number {
    return this.process.port;
  }

  get url(): string {
    return this.process.url;
  }

  /** Figures of the moment that later ones are held against. */
  get before(): ProcessFigures {
    return this.#before;
  }

  /** Its figures in the quiet before everything. */
  get settled(): ProcessFigures {
    return this.#settled;
  }

  /** Wait until it opens and closes nothing more, and has rested; that is then how it began. */
  async settle(): Promise<void> {
    const { settledMs, quietMs } = this.#bounds;
    let last = -1;
    let since = 0;
    await becomesTrue(() => {
      const { descriptors } = this.process.figures();
      if (Math.abs(descriptors - last) > PROBE_DESCRIPTORS) {
        last = descriptors;
        since = performance.now();
      }
      return performance.now() - since >= settledMs;
    }, quietMs);
    this.#settled = await this.rested();
    this.#before = this.#settled;
  }

  /** Its figures when nothing was asked for a while. */
  async rested(): Promise<ProcessFigures> {
    await sleep(this.#bounds.restMs);
    return this.process.figures();
  }

  /** Milliseconds of the slowest answer about health since the last look. */
  slowestAnswer(): Promise<number> {
    return this.#probe.look();
  }

  /** From now on: what was before does not count. */
  async begin(): Promise<void> {
    await this.#probe.take();
    this.#before = this.process.figures();
  }

  /** Once the attack is over. Waits for the server to become quiet. */
  async judge(): Promise<Judgement> {
    const health = await this.#probe.take();
    if (!this.process.isRunning) {
      const none = { peakBytes: 0, residentBytes: 0, descriptors: 0 };
      return { health, ...none, broken: [`the server has ended: ${this.process.log.slice(-500)}`] };
    }
    const broken = [...this.#unhealthy(health), ...(await this.#keptFiles()), ...(await this.#leftOvers())];
    const { peakBytes, residentBytes, descriptors } = this.process.figures();
    if (peakBytes > this.#bounds.memoryBytes) {
      broken.push(`${mebibytes(peakBytes)} of memory, above ${mebibytes(this.#bounds.memoryBytes)}`);
    }
    return { health, peakBytes, residentBytes, descriptors, broken };
  }

  #unhealthy({ worstMs, failures, answers, ownWorstMs }: ProbeReport): string[] {
    const broken = failures.length === 0 ? [] : [`health: ${failures[0]} (${failures.length} such)`];
    if (answers === 0) broken.push('health: no answer at all');
    if (worstMs > this.#bounds.healthMs) {
      const own =
        ownWorstMs > this.#bounds.healthMs / 2
          ? ` (the probe itself was ${ownWorstMs.toFixed(0)} ms late)`
          : '';
      broken.push(`health: an answer took ${worstMs.toFixed(0)} ms, above ${this.#bounds.healthMs}${own}`);
    }
    return broken;
  }

  async #keptFiles(): Promise<string[]> {
    const most = this.#before.descriptors + this.#bounds.descriptors;
    const open = (): number => this.process.figures().descriptors;
    if (await becomesTrue(() => open() <= most, this.#bounds.quietMs)) return [];
    const counts = new Map<string, number>();
    for (const path of openFiles(this.process.pid)) counts.set(path, (counts.get(path) ?? 0) + 1);
    const kinds = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5);
    const names = kinds.map(([path, count]) => `${count} ${path}`).join(', ');
    return [`${open()} descriptors, ${this.#before.descriptors} before: ${names}`];
  }

  async #leftOvers(): Promise<string[]> {
    if (await becomesTrue(() => leftOvers(this.root).length === 0, this.#bounds.quietMs)) return [];
    return [`left behind: ${leftOvers(this.root).slice(0, 3).join(', ')}`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#probe[Symbol.asyncDispose]();
    await this.process[Symbol.asyncDispose]();
  }
}
