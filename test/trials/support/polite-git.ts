/**
 * Real git clients that leave the processor to the server: on a machine of their own they would not take it away.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { GIT_ENVIRONMENT, type GitResult } from '../../support/git.ts';

export interface GitClientRun {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Kills the client and all it started, as if its machine had been unplugged: its status is 137. */
  readonly signal?: AbortSignal | undefined;
  /** After so long it is killed too, with the status 124. */
  readonly timeoutMs?: number | undefined;
}

const KILLED = 137;
const TOO_LONG = 124;
const KEPT_CHARACTERS = 1 << 20;

/** Never throws for its exit code. */
export function politeGit(run: GitClientRun | string, ...args: readonly string[]): Promise<GitResult> {
  const options: GitClientRun = typeof run === 'string' ? { cwd: run } : run;
  const { cwd, env, signal, timeoutMs = 300_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn('nice', ['-n', '10', 'git', ...args], {
      cwd,
      env: { ...GIT_ENVIRONMENT, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a process group of its own, to be killed as one
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] = (output[name] + text).slice(-KEPT_CHARACTERS);
      });
    }
    let isTooLong = false;
    const kill = (): void => killGroup(child);
    const timer = setTimeout(() => {
      isTooLong = true;
      kill();
    }, timeoutMs);
    const over = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
    };
    signal?.addEventListener('abort', kill);
    child.on('error', (error) => {
      over();
      reject(error);
    });
    child.on('close', (status) => {
      over();
      resolve({ status: status ?? (isTooLong ? TOO_LONG : KILLED), ...output });
    });
  });
}

function killGroup({ pid, exitCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended by itself just now
  }
}
