/**
 * One program, from its start to its end: fed, listened to, and ended with all that it has started when it takes too
 * long or nobody waits for it any more.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { throwIfAborted } from '../../../core/errors.ts';
import type { HookCall, HookConversation } from '../../push/repository-hooks.ts';

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** For messages. */
  readonly label: string;
  /** Nothing is said when it is not installed. */
  readonly isOptional?: boolean | undefined;
}

/** Milliseconds between asking a program to end and ending it. */
const GRACE_MS = 2000;
/** Bytes of input handed over at once. */
const INPUT_CHUNK = 16 * 1024;

/**
 * Run `program` until it and whatever holds its output open have ended.
 *
 * @param talk given, its standard output is for that alone; `call.input` is not used then
 * @returns whether it ended with exit code 0
 * @throws {GitError} ABORTED when the signal fires
 */
export async function runProgram(
  program: Program,
  call: HookCall,
  talk?: (hook: HookConversation) => Promise<void>,
): Promise<boolean> {
  throwIfAborted(call.signal);
  const isFed = talk !== undefined || call.input !== undefined;
  const child = start(program, isFed);
  if (child instanceof Error) {
    await call.onOutput(`error: cannot run ${program.label}: ${codeOf(child)}\n`);
    return false;
  }
  const running = new RunningProgram(child);
  const onAbort = (): void => running.end();
  call.signal?.addEventListener('abort', onAbort, { once: true });
  let isLate = false;
  const onLate = (): void => {
    isLate = true;
    running.end();
  };
  const timer = call.timeoutMs > 0 ? setTimeout(onLate, call.timeoutMs) : undefined;
  try {
    const [stdin, stdout, stderr] = [child.stdin, child.stdout, child.stderr] as [
      Writable,
      Readable,
      Readable,
    ];
    stdin?.on('error', () => undefined); // it may end without having read everything
    const talking =
      talk === undefined
        ? Promise.all([isFed ? feed(stdin, call.input ?? []) : undefined, relay(stdout, call)])
        : talk(conversation(stdin, stdout)).finally(() => {
            stdin.destroy();
            stdout.destroy();
          });
    const [talked] = await Promise.allSettled([talking, relay(stderr, call)]);
    const failure = await running.ended;
    throwIfAborted(call.signal);
    if (talked.status === 'rejected') throw talked.reason;
    if (isLate) {
      const seconds = call.timeoutMs / 1000;
      await call.onOutput(`error: ${program.label} did not end within ${seconds} s and was stopped\n`);
      return false;
    }
    const isAbsent = failure instanceof Error && codeOf(failure) === 'ENOENT';
    if (failure instanceof Error && !(isAbsent && program.isOptional === true)) {
      await call.onOutput(`error: cannot run ${program.label}: ${codeOf(failure)}\n`);
    }
    return failure === 0;
  } finally {
    clearTimeout(timer);
    call.signal?.removeEventListener('abort', onAbort);
    running.forget();
  }
}

/** In a process group of its own, so that it can be ended with what it has started. */
export function start({ file, args, directory, environment }: Program, isFed: boolean): ChildProcess | Error {
  try {
    return spawn(file, args, {
      cwd: directory,
      env: environment,
      detached: true,
      stdio: [isFed ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error) return error; // an argument no program can be given
    throw error;
  }
}

export class RunningProgram {
  readonly #child: ChildProcess;
  /** Its exit code, `null` when a signal ended it, or why it could not be started. */
  readonly ended: Promise<number | null | Error>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once('error', resolve);
      child.once('close', (code) => resolve(code));
    });
  }

  /** Ask its group to end, then end it; what still holds its output open is not waited for. */
  end(): void {
    if (this.#timer !== undefined) return;
    this.#signalGroup('SIGTERM');
    this.#timer = setTimeout(() => {
      this.#signalGroup('SIGKILL');
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }, GRACE_MS);
  }

  forget(): void {
    clearTimeout(this.#timer);
  }

  #signalGroup(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if (codeOf(error) !== 'ESRCH') throw error; // all of it has ended
    }
  }
}

/** Write `input` as fast as it is read; whoever stops reading has had enough. */
export async function feed(stdin: Writable, input: Iterable<string>): Promise<void> {
  let chunk = '';
  for (const line of input) {
    chunk += line;
    if (chunk.length < INPUT_CHUNK) continue;
    if (!(await write(stdin, chunk))) return;
    chunk = '';
  }
  if (chunk !== '' && !(await write(stdin, chunk))) return;
  stdin.end();
}

/** @returns false when nobody reads */
function write(stdin: Writable, chunk: string | Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    if (stdin.destroyed) resolve(false);
    else stdin.write(chunk, (error) => resolve(error === null || error === undefined));
  });
}

/** A chunk at a time, so that a program that prints faster than the pusher reads is held back. */
export async function relay(output: Readable, { onOutput }: Pick<HookCall, 'onOutput'>): Promise<void> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  try {
    for await (const chunk of output) await onOutput(decoder.decode(chunk as Uint8Array, { stream: true }));
  } catch (error) {
    if (codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error; // it was ended
  }
  const rest = decoder.decode();
  if (rest !== '') await onOutput(rest);
}

function conversation(stdin: Writable, stdout: Readable): HookConversation {
  return {
    output: chunksOf(stdout),
    write: (bytes) => write(stdin, bytes),
  };
}

async function* chunksOf(output: Readable): AsyncGenerator<Uint8Array, undefined> {
  try {
    for await (const chunk of output) yield chunk as Uint8Array;
  } catch (error) {
    if (codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
