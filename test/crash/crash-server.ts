/**
 * A server in a process of its own, to be killed.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export class CrashServer {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
  }

  /** Serve the repositories below `root`, making them as they are pushed to. Resolves once it listens. */
  static async start(root: string): Promise<CrashServer> {
    const args = ['--import', 'tsx', COMMAND, 'serve', root, '--http', '127.0.0.1:0', '--create', '--quiet'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      output += text;
      const url = /listening on (http:\/\/[\d.:]+)/.exec(output)?.[1];
      if (url !== undefined) {
        child.stdout.resume();
        return new CrashServer(url, child);
      }
    }
    throw new Error(`the server ended before it listened: ${output}`);
  }

  /** SIGKILL: nothing in the process runs after it. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}
