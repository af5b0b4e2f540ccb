/**
 * A packwire server as a process of its own, and what the operating system says of it.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { cloneRequest } from '../pack/requests.ts';

/** Clock ticks a second of /proc/<pid>/stat on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** The command that was built; another one for comparisons. */
export const BUILT_SERVER = resolve(import.meta.dirname, '../../dist/cli.js');

export class ServedRepository {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Serve the directory that `repository` lies in, read only. */
  static async start(repository: string, command: string): Promise<ServedRepository> {
    const child = spawn(
      process.execPath,
      [command, 'serve', dirname(repository), '--http', '127.0.0.1:0', '--read-only', '-q'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    for await (const line of createInterface({ input: child.stdout })) {
      const match = /127\.0\.0\.1:(\d+)/.exec(line);
      if (match !== null) {
        child.stdout.resume();
        return new ServedRepository(child, Number(match[1]));
      }
    }
    throw new Error('the server ended before it said where it listens');
  }

  get residentBytes(): number {
    return this.#statusBytes('VmRSS');
  }

  /** Since the start, or since {@link forgetPeak}. */
  get peakBytes(): number {
    return this.#statusBytes('VmHWM');
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, '5');
  }

  /** User and system time of all its threads. */
  get cpuSeconds(): number {
    const text = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await once(this.#child, 'close');
  }

  #statusBytes(name: string): number {
    const text = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  }
}

/** A mirror clone as one HTTP request, whose connection ends with its answer. */
export function clonePost(repository: string): Buffer {
  const body = cloneRequest(repository);
  const head =
    `POST /${basename(repository)}/git-upload-pack HTTP/1.1\r\nhost: 127.0.0.1\r\ngit-protocol: version=2\r\n` +
    `content-type: application/x-git-upload-pack-request\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
