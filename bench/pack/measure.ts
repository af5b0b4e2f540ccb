/**
 * Run a program and measure it as the operating system saw it: wall time, CPU time, peak resident memory.
 *
 * Peak memory comes from /proc/<pid>/status (VmHWM) of the program and its children, polled; CPU from
 * /proc/<pid>/stat. On systems without /proc only wall time is reported.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

export interface Measurement {
  readonly wallSeconds: number;
  /** User and system time of the whole process tree. */
  readonly cpuSeconds: number;
  /** Largest sum over the process tree, in bytes; 0 where /proc is missing. */
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

const POLL_MS = 20;
/** Clock ticks a second of /proc/<pid>/stat on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** @throws when the program exits with anything but 0, with its stderr */
export async function measure(run: Run): Promise<Measurement> {
  const stdin = run.inputFile === undefined ? 'pipe' : openSync(run.inputFile, 'r');
  const started = performance.now();
  const child = spawn(run.command, run.args, {
    cwd: run.cwd,
    env: { ...process.env, ...run.env },
    stdio: [stdin, 'pipe', 'pipe'],
  });
  let outputBytes = 0;
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-4000);
  });
  child.stdin?.on('error', () => undefined); // a program may exit without reading its input
  child.stdin?.end(run.input ?? '');

  const usage = watchTree(child.pid ?? 0);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const wallSeconds = (performance.now() - started) / 1000;
  const { peakBytes, cpuSeconds } = usage.stop();
  if (typeof stdin === 'number') closeSync(stdin);
  if (status !== 0) throw new Error(`${run.command} ${run.args.join(' ')}: exit ${status}\n${stderr}`);
  return { wallSeconds, cpuSeconds, peakBytes, outputBytes };
}

interface TreeWatch {
  stop(): { peakBytes: number; cpuSeconds: number };
}

/** Watch a process and its descendants until stopped. */
export function watchTree(pid: number): TreeWatch {
  const peaks = new Map<number, number>();
  const ticks = new Map<number, number>();
  let peakBytes = 0;
  const poll = (): void => {
    let sum = 0;
    for (const member of treeOf(pid)) {
      const peak = readPeak(member);
      if (peak !== undefined) {
        peaks.set(member, peak);
        sum += peak;
      }
      const time = readTicks(member);
      if (time !== undefined) ticks.set(member, time);
    }
    peakBytes = Math.max(peakBytes, sum);
  };
  const timer = setInterval(poll, POLL_MS);
  poll();
  return {
    stop() {
      clearInterval(timer);
      let total = 0;
      for (const time of ticks.values()) total += time;
      return { peakBytes, cpuSeconds: total / TICKS_PER_SECOND };
    },
  };
}

function treeOf(pid: number): number[] {
  const members = [pid];
  for (let i = 0; i < members.length; i++) {
    for (const child of childrenOf(members[i] as number)) members.push(child);
  }
  return members;
}

function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const thread of listing(`/proc/${pid}/task`)) {
    const text = reading(`/proc/${pid}/task/${thread}/children`);
    for (const word of (text ?? '').split(' ')) if (word !== '') children.push(Number(word));
  }
  return children;
}

/** Most memory the process held at once, in bytes. */
export function readPeak(pid: number): number | undefined {
  const match = /^VmHWM:\s+(\d+) kB/m.exec(reading(`/proc/${pid}/status`) ?? '');
  return match === null ? undefined : Number(match[1]) * 1024;
}

function readTicks(pid: number): number | undefined {
  const text = reading(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]); // utime and stime, counted after the command name
}

function reading(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // the process ended between two looks, or this system has no /proc
  }
}

function listing(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // as above
  }
}

/** The middle one by wall time. */
export function median(measurements: readonly Measurement[]): Measurement {
  const sorted = [...measurements].sort((a, b) => a.wallSeconds - b.wallSeconds);
  return sorted[Math.floor(sorted.length / 2)] as Measurement;
}
