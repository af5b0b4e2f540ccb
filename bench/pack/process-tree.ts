/**
 * What /proc says of a process and of those it started: peak memory, CPU time.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';

const POLL_MS = 20;
/** Clock ticks a second of /proc/<pid>/stat on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface TreeWatch {
  /** The figures so far; nothing is polled any more. Safe to call twice. */
  stop(): { peakBytes: number; cpuSeconds: number };
}

/**
 * Watch a process and its descendants until stopped.
 *
 * @param besideRoot leave the process itself out: it only starts what is to be measured
 */
export function watchTree(pid: number, besideRoot = false): TreeWatch {
  const ticks = new Map<number, number>();
  let peakBytes = 0;
  const poll = (): void => {
    let sum = 0;
    for (const member of treeOf(pid).slice(besideRoot ? 1 : 0)) {
      sum += readPeak(member) ?? 0;
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

/** Most memory the process held at once, in bytes; `undefined` when it is gone. */
export function readPeak(pid: number): number | undefined {
  const match = /^VmHWM:\s+(\d+) kB/m.exec(reading(`/proc/${pid}/status`) ?? '');
  return match === null ? undefined : Number(match[1]) * 1024;
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
