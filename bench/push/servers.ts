/**
 * The two servers under test, each in a process of its own.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readPeak, watchTree } from '../pack/measure.ts';

export interface PushServer {
  readonly name: string;
  readonly root: string;
  readonly port: number;
  /** User and system time so far, of the process and of all that it started and that have ended, in milliseconds. */
  cpuMs(): number;
  /** Most memory held at once: of the whole process tree when it is watched, else of the server process. */
  peakBytes(): number;
  stop(): Promise<void>;
}

/** Clock ticks a second of /proc/<pid>/stat on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export function startPackwire(root: string, cli: string, watched: boolean): Promise<PushServer> {
  const child = spawn(process.execPath, [cli, 'serve', root, '--http', '127.0.0.1:0', '-q'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return whenListening('packwire', root, child, watched);
}

export function startHttpBackend(root: string, _cli: string, watched: boolean): Promise<PushServer> {
  const script = join(import.meta.dirname, 'http-backend.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return whenListening('git', root, child, watched);
}

/** @param watched look at the process tree all the time, which costs some CPU here */
async function whenListening(
  name: string,
  root: string,
  child: ChildProcess,
  watched: boolean,
): Promise<PushServer> {
  const output = child.stdout as NonNullable<ChildProcess['stdout']>;
  for await (const line of createInterface({ input: output })) {
    const match = /127\.0\.0\.1:(\d+)/.exec(line);
    if (match === null) continue;
    output.resume();
    const pid = child.pid as number;
    const watch = watched ? watchTree(pid) : undefined;
    return {
      name,
      root,
      port: Number(match[1]),
      cpuMs: () => readCpuMs(pid),
      peakBytes: () => (watch === undefined ? (readPeak(pid) ?? 0) : watch.stop().peakBytes),
      async stop() {
        watch?.stop();
        child.kill('SIGTERM');
        await once(child, 'close');
      },
    };
  }
  throw new Error(`${name} ended before it said where it listens`);
}

function readCpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // utime, stime, cutime, cstime, counted after the command name
  const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
  return (ticks * 1000) / TICKS_PER_SECOND;
}
