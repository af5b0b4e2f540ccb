/**
 * A server in a process of its own, and what that process has cost so far.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

/** Clock ticks a second of /proc/<pid>/stat on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(args: readonly string[]): Promise<ServerProcess> {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const match = /127\.0\.0\.1:(\d+)/.exec(line);
      if (match === null) continue;
      child.stdout.resume();
      return new ServerProcess(child, Number(match[1]));
    }
    throw new Error('the server ended before it said where it listens');
  }

  /** The reference server over every repository below `root`. */
  static packwire(cli: string, root: string, nodeOptions: readonly string[] = []): Promise<ServerProcess> {
    return ServerProcess.start([
      ...nodeOptions,
      cli,
      'serve',
      root,
      '--http',
      '127.0.0.1:0',
      '--read-only',
      '-q',
    ]);
  }

  /** Node spawning `git http-backend` for each request. */
  static git(root: string): Promise<ServerProcess> {
    return ServerProcess.start(['--import', 'tsx', resolve(import.meta.dirname, 'git-backend.ts'), root]);
  }

  /** User and system time of the process and of the children it has waited for; 0 where /proc is missing. */
  get cpuSeconds(): number {
    const stat = procFile(this.#child.pid, 'stat');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field] ?? 0), 0) / TICKS_PER_SECOND;
  }

  /** Most memory the process itself held at once; 0 where /proc is missing. */
  get peakBytes(): number {
    const match = /^VmHWM:\s+(\d+) kB/m.exec(procFile(this.#child.pid, 'status'));
    return Number(match?.[1] ?? 0) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'close');
  }
}

function procFile(pid: number | undefined, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return ''; // the process ended, or this system has no /proc
  }
}
