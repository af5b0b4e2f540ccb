/**
 * One program that answers a question: what it says, as text.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Cancellable } from '../../../core/byte-stream.ts';
import { GitError, throwIfAborted } from '../../../core/errors.ts';

export interface CapturedProgram extends Cancellable {
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly input: Uint8Array;
  /** Milliseconds until it is ended; 0 waits for ever. */
  readonly timeoutMs: number;
}

export interface Captured {
  /** `undefined` when a signal ended it. */
  readonly exitCode: number | undefined;
  /** The first {@link MAX_CAPTURED} characters of each. */
  readonly output: string;
  readonly errors: string;
}

/** What is asked for fits many times over. */
const MAX_CAPTURED = 256 * 1024;

/**
 * Run it to its end.
 *
 * @throws {GitError} STORAGE_FAILED when it cannot be started, or does not end in time; ABORTED
 */
export async function captureProgram(program: CapturedProgram): Promise<Captured> {
  const { file, args, directory, environment, input, timeoutMs, signal } = program;
  throwIfAborted(signal);
  // In a process group of its own, so that it can be ended with what it has started.
  const child = spawn(file, args, {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let isLate = false;
  const end = (): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, 'SIGKILL');
  };
  const onLate = (): void => {
    isLate = true;
    end();
  };
  const timer = timeoutMs > 0 ? setTimeout(onLate, timeoutMs) : undefined;
  signal?.addEventListener('abort', end, { once: true });
  try {
    const ended = new Promise<number | undefined>((resolve, reject) => {
      child.once('error', (cause) => {
        const message = `Cannot run ${file}: it did not start`;
        reject(new GitError('STORAGE_FAILED', message, { file }, cause));
      });
      child.once('close', (code) => resolve(code ?? undefined));
    });
    child.stdin.on('error', () => undefined); // it may end without having read everything
    child.stdin.end(input);
    const [exitCode, output, errors] = await Promise.all([ended, textOf(child.stdout), textOf(child.stderr)]);
    throwIfAborted(signal);
    if (isLate) {
      const message = `Cannot run ${file}: it did not end within ${timeoutMs / 1000} s`;
      throw new GitError('STORAGE_FAILED', message, { file, timeoutMs });
    }
    return { exitCode, output, errors };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

async function textOf(stream: Readable): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stream) {
    if (text.length < MAX_CAPTURED) text += decoder.decode(chunk as Uint8Array, { stream: true });
  }
  return text.slice(0, MAX_CAPTURED);
}
