/**
 * Asks a server again and again whether it is there, in a process of its own: `health-prober.ts <url>…`, each
 * in its turn. The parent's messages are {@link ProbeQuestion}s.
 *
 * Each question goes out on a new connection when its time has come, whether or not the last one was answered.
 *
 * @module
 */
import { get } from 'node:http';
import { setPriority } from 'node:os';

/** `report` is answered with a {@link ProbeReport}, `look` with the slowest answer since the last look, in milliseconds. */
export type ProbeQuestion = 'report' | 'look';

export interface ProbeReport {
  /** Since the last report. */
  readonly answers: number;
  readonly worstMs: number;
  readonly p99Ms: number;
  readonly p50Ms: number;
  /** Questions that failed or were answered with something else than is expected, and why. */
  readonly failures: readonly string[];
  /** How late this process itself was, at worst: slower answers than that are not the server's fault. */
  readonly ownWorstMs: number;
}

const EVERY_MS = 50;
const TIMEOUT_MS = 5_000;
const MAX_FAILURES = 20;

const urls = process.argv.slice(2);
try {
  setPriority(-5); // what is measured is the server, not the queue for the processor
} catch {
  // only the administrator may; the report says how late this process was
}

let latencies: number[] = [];
let failures: string[] = [];
/** Since the last look. */
let slowestMs = 0;
let ownWorstMs = 0;
let asked = 0;
let dueAt = performance.now();
/** Asked for when there was nothing yet to tell. */
let isReportDue = false;

function probe(): void {
  const url = urls[asked++ % urls.length] as string;
  const began = performance.now();
  let settled = false;
  const settle = (failure?: string): void => {
    if (settled) return;
    settled = true;
    const ms = performance.now() - began;
    latencies.push(ms);
    slowestMs = Math.max(slowestMs, ms);
    if (failure !== undefined && failures.length < MAX_FAILURES) failures.push(`${url}: ${failure}`);
    if (isReportDue) report();
  };
  const request = get(url, { agent: false, timeout: TIMEOUT_MS });
  request.on('timeout', () => request.destroy(new Error(`nothing for ${TIMEOUT_MS} ms`)));
  request.on('error', (error) => settle(error.message));
  request.on('response', (response) => {
    const isExpected =
      response.statusCode === 200 || (url.endsWith('/-/ready') && response.statusCode === 503);
    response.on('end', () => settle(isExpected ? undefined : `status ${response.statusCode}`));
    response.on('error', (error) => settle(error.message));
    response.resume();
  });
}

function tick(): void {
  const now = performance.now();
  ownWorstMs = Math.max(ownWorstMs, now - dueAt);
  probe();
  dueAt = Math.max(dueAt + EVERY_MS, now);
  setTimeout(tick, Math.max(0, dueAt - performance.now()));
}

function report(): void {
  isReportDue = false;
  latencies.sort((a, b) => a - b);
  const quantile = (part: number): number => latencies[Math.floor(part * (latencies.length - 1))] ?? 0;
  const seen: ProbeReport = {
    answers: latencies.length,
    worstMs: quantile(1),
    p99Ms: quantile(0.99),
    p50Ms: quantile(0.5),
    failures,
    ownWorstMs,
  };
  process.send?.(seen);
  latencies = [];
  failures = [];
  ownWorstMs = 0;
}

process.on('message', (question: ProbeQuestion) => {
  if (question === 'look') {
    process.send?.(slowestMs);
    slowestMs = 0;
  } else if (latencies.length > 0) report();
  else isReportDue = true;
});
process.on('disconnect', () => process.exit());
tick();
