/**
 * What one run of the comparison found, as kept in `bench/results/report.json`.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { type Measurement, median, USAGE_SOURCE } from '../pack/measure.ts';
import type { Outcome, Work } from './compare.ts';
import type { InputFacts } from './input.ts';

export interface Report {
  readonly date: string;
  readonly machine: Machine;
  readonly runs: number;
  readonly timeLimitSeconds: number;
  readonly usageSource: string;
  readonly peers: readonly PeerFacts[];
  readonly inputs: readonly InputFacts[];
  readonly outcomes: readonly Outcome[];
}

export interface PeerFacts {
  readonly name: string;
  readonly language: string;
  readonly install: string;
  readonly note?: string | undefined;
  /** Absent when it was skipped. */
  readonly version?: string | undefined;
  /** Why it was skipped. */
  readonly missing?: string | undefined;
}

export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** Processes that wanted a core in the minute before the first measurement: above 0.5, do not trust the rest. */
  readonly loadBefore: number;
}

/** A row that can be drawn: the median of a peer's runs beside the reference's. */
export interface Figure {
  readonly outcome: Outcome;
  readonly median: Measurement;
  /** Slowest run over fastest, less one: how noisy the machine was. */
  readonly spread: number;
  /** Wall time over the reference's; `undefined` when there is no reference. */
  readonly ratio: number | undefined;
}

export function describeMachine(): Machine {
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    system: `${distribution()}, ${process.platform} ${release()}, ${process.arch}`,
    node: process.version,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

export const usageSource = USAGE_SOURCE;

/** The figure of an outcome that was measured. */
export function figureOf(report: Report, outcome: Outcome, reference: string): Figure | undefined {
  if (outcome.status !== 'measured' || outcome.runs.length === 0) return undefined;
  const walls = outcome.runs.map((run) => run.wallSeconds);
  const beside = report.outcomes.find(
    ({ input, work, peer, status }) =>
      peer === reference && input === outcome.input && work === outcome.work && status === 'measured',
  );
  const middle = median(outcome.runs);
  return {
    outcome,
    median: { ...middle, peakBytes: Math.max(...outcome.runs.map((run) => run.peakBytes)) },
    spread: Math.max(...walls) / Math.min(...walls) - 1,
    ratio: beside === undefined ? undefined : middle.wallSeconds / median(beside.runs).wallSeconds,
  };
}

export function outcomesOf(report: Report, work: Work, input?: string): readonly Outcome[] {
  return report.outcomes.filter((one) => one.work === work && (input === undefined || one.input === input));
}

function distribution(): string {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? 'unknown';
  } catch {
    return 'unknown'; // not Linux
  }
}
