/**
 * `uploadpack.packObjectsHook`: a program that is run instead of git's pack-objects, whose command line it is given.
 * Spec: git-config(1), "uploadpack.packObjectsHook".
 *
 * @module
 */
import type { Readable, Writable } from 'node:stream';
import { GitError, throwIfAborted } from '../../../core/errors.ts';
import type { GitConfig } from '../../git-config.ts';
import type { PackProgram, PackProgramCall } from '../../pack-program.ts';
import { hookEnvironment } from './files-hooks.ts';
import { feed, type Program, RunningProgram, relay, start } from './run-program.ts';

/**
 * @returns `undefined` when none is configured; what the repository's own files say does not count: they must not have
 * programs run by those who read the repository
 */
export function packObjectsHook(gitDirectory: string, config: GitConfig): PackProgram | undefined {
  const command = config.protected.get('uploadpack.packobjectshook');
  if (command === undefined) return undefined;
  return (call) => {
    const program = {
      file: 'sh',
      args: ['-c', `${command} "$@"`, command, 'git', ...call.args],
      directory: gitDirectory,
      // git that is run by it must not fetch what is missing: who asks us decides what we fetch, otherwise.
      environment: { GIT_NO_LAZY_FETCH: '1', ...hookEnvironment({}) },
      label: 'uploadpack.packObjectsHook',
    };
    return runPackProgram(program, call);
  };
}

/** Run `program` as a {@link PackProgram}. */
export async function* runPackProgram(
  program: Program,
  { input, onMessage, signal }: PackProgramCall,
): AsyncGenerator<Uint8Array, undefined> {
  throwIfAborted(signal);
  const child = start(program, true);
  if (child instanceof Error) throw died(child);
  const running = new RunningProgram(child);
  const onAbort = (): void => running.end();
  signal?.addEventListener('abort', onAbort, { once: true });
  const [stdin, stdout, stderr] = [child.stdin, child.stdout, child.stderr] as [Writable, Readable, Readable];
  stdin.on('error', () => undefined); // it may end without having read everything
  const talking = Promise.allSettled([
    feed(stdin, input),
    relay(stderr, { onOutput: async (text) => onMessage(text) }),
  ]);
  let isOver = false;
  try {
    let held: Uint8Array | undefined;
    for await (const chunk of stdout) {
      if (held !== undefined) yield held;
      held = chunk as Uint8Array;
    }
    const [, told] = await talking;
    const outcome = await running.ended;
    isOver = true;
    throwIfAborted(signal);
    if (told.status === 'rejected') throw told.reason;
    if (outcome !== 0) throw died(outcome);
    if (held !== undefined) yield held;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    if (!isOver) {
      running.end();
      await running.ended;
    }
    running.forget();
  }
}

function died(outcome: number | null | Error): GitError {
  const message = 'Cannot make pack: git-pack-objects died with error';
  return new GitError('PACK_CORRUPT', message, { outcome: String(outcome) }, outcome);
}
