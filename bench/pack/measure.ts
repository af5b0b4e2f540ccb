/**
 * Run a program and measure it as the operating system saw it: wall time, CPU time, peak resident memory.
 *
 * CPU time and peak memory are what wait4(2) told GNU time, where /usr/bin/time is installed. A program that starts
 * others has their memory added, as polled from /proc/<pid>/status (VmHWM). Without GNU time both are polled from
 * /proc, which misses what happened after the last look; on systems without /proc only wall time is reported.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { watchTree } from './process-tree.ts';

export { readPeak, watchTree } from './process-tree.ts';

export interface Measurement {
  readonly wallSeconds: number;
  /** User and system time of the whole process tree. */
  readonly cpuSeconds: number;
  /** Largest sum over the process tree, in bytes; 0 where /proc and GNU time are missing. */
  readonly peakBytes: number;
  /** Bytes the program wrote to its standard output. */
  readonly outputBytes: number;
}

export interface Run {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  /** File given as standard input. */
  readonly inputFile?: string | undefined;
  /** Bytes given as standard input. */
  readonly input?: Uint8Array | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface MeasureOptions {
  /** Longer than that, and the program and all it started are ended; no limit when absent. */
  readonly timeLimitSeconds?: number | undefined;
  /** Standard output goes there, and `outputBytes` is 0; it is counted and thrown away when absent. */
  readonly outputFile?: string | undefined;
}

/** Why there is no measurement: the program failed or took too long. */
export class RunFailed extends Error {
  override readonly name = 'RunFailed';
  readonly reason: 'failed' | 'time limit';

  constructor(reason: 'failed' | 'time limit', message: string) {
    super(message);
    this.reason = reason;
  }
}

const GNU_TIME = '/usr/bin/time';

/** Where CPU time and memory come from on this machine, for reports. */
export const USAGE_SOURCE = isExecutable(GNU_TIME) ? 'wait4, by GNU time' : '/proc, polled every 20 ms';

/** @throws {RunFailed} when the program exits with anything but 0, with its stderr, or exceeds the limit */
export async function measure(run: Run, options: MeasureOptions = {}): Promise<Measurement> {
  const scratch = mkdtempSync(join(tmpdir(), 'packwire-measure-'));
  const usageFile = join(scratch, 'usage');
  const timed = isExecutable(GNU_TIME);
  const [command, args] = timed
    ? [GNU_TIME, ['-q', '-f', '%U %S %M', '-o', usageFile, '--', run.command, ...run.args]]
    : [run.command, run.args];

  const stdin = run.inputFile === undefined ? 'pipe' : openSync(run.inputFile, 'r');
  const stdout = options.outputFile === undefined ? 'pipe' : openSync(options.outputFile, 'w');
  try {
    const started = performance.now();
    const child = spawn(command, args, {
      cwd: run.cwd,
      env: { ...process.env, ...run.env },
      stdio: [stdin, stdout, 'pipe'],
      detached: true, // a process group of its own, to be ended as one
    });
    const watch = watchTree(child.pid ?? 0, timed);
    child.stdin?.on('error', () => undefined); // a program may exit without reading its input
    child.stdin?.end(run.input ?? '');
    const { outputBytes } = await finish(child, run, options.timeLimitSeconds).finally(() => watch.stop());
    const wallSeconds = (performance.now() - started) / 1000;

    const polled = watch.stop();
    const told = timed ? readUsage(usageFile) : polled;
    const peakBytes = Math.max(told.peakBytes, polled.peakBytes);
    return { wallSeconds, cpuSeconds: told.cpuSeconds, peakBytes, outputBytes };
  } finally {
    if (typeof stdin === 'number') closeSync(stdin);
    if (typeof stdout === 'number') closeSync(stdout);
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function finish(
  child: ChildProcess,
  run: Run,
  timeLimitSeconds: number | undefined,
): Promise<{ outputBytes: number }> {
  let outputBytes = 0;
  let stderr = '';
  let tooLong = false;
  child.stdout?.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-4000);
  });
  const timer =
    timeLimitSeconds === undefined
      ? undefined
      : setTimeout(() => {
          tooLong = true;
          if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        }, timeLimitSeconds * 1000);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).finally(() => clearTimeout(timer));
  if (tooLong) throw new RunFailed('time limit', `more than ${timeLimitSeconds} s`);
  if (status !== 0) {
    throw new RunFailed('failed', `${run.command} ${run.args.join(' ')}: exit ${status}\n${stderr.trim()}`);
  }
  return { outputBytes };
}

function readUsage(path: string): { cpuSeconds: number; peakBytes: number } {
  const [user, system, peakKilobytes] = readFileSync(path, 'utf8').trim().split(' ').map(Number);
  return {
    cpuSeconds: (user as number) + (system as number),
    peakBytes: (peakKilobytes as number) * 1024,
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // the answer, not a failure
  }
}

/** The middle one by wall time. */
export function median(measurements: readonly Measurement[]): Measurement {
  const sorted = [...measurements].sort((a, b) => a.wallSeconds - b.wallSeconds);
  return sorted[Math.floor(sorted.length / 2)] as Measurement;
}
