/**
 * What the operating system says of a process. Linux: /proc.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Clock ticks a second of /proc/<pid>/stat on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface ProcessFigures {
  readonly residentBytes: number;
  /** Of that, what is its own: the rest are pages of files that the kernel may take back. */
  readonly ownBytes: number;
  /** Most that was ever resident. */
  readonly peakBytes: number;
  readonly descriptors: number;
  readonly threads: number;
  /** User and system time. */
  readonly cpuSeconds: number;
}

/** @throws when the process is gone */
export function figuresOf(pid: number): ProcessFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const times = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    residentBytes: field('VmRSS') * 1024,
    ownBytes: field('RssAnon') * 1024,
    peakBytes: field('VmHWM') * 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
    cpuSeconds: (Number(times[11]) + Number(times[12])) / TICKS_PER_SECOND,
  };
}

/** What its descriptors are, one a descriptor: paths of files, `socket`, `pipe`, `anon_inode`. */
export function openFiles(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).flatMap((name) => {
    try {
      return [readlinkSync(`${directory}/${name}`).replace(/^(socket|pipe):.*/, '$1')];
    } catch {
      return []; // closed between two looks
    }
  });
}

/** As people read it. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
}
