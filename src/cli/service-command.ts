/**
 * What upload-pack and receive-pack share as commands: mode, protocol version, and one service between two pipes.
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { GitError, isGitError } from '../core/errors.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { createThreadTaskPool } from '../pack/node/thread-task-pool.ts';
import {
  type ProtocolVersion,
  parseProtocolVersion,
  type ServiceMode,
  type ServiceOptions,
} from '../protocol/service.ts';
import { inNamespace } from '../repository/namespace.ts';
import { configSources } from '../repository/node/config/config-sources.ts';
import { openRepository } from '../repository/node/files-repository.ts';
import type { OpenRepositoryOptions } from '../repository/node/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { serveOverPipes } from '../transport/node/stdio.ts';
import { usageError } from './arguments.ts';
import type { CommandWorld } from './command.ts';
import { enterRepository } from './find-repository.ts';
import { formatWarning } from './output.ts';

/** Options of both commands, for parseArgs. */
export const SERVICE_OPTIONS = {
  'stateless-rpc': { type: 'boolean' },
  'advertise-refs': { type: 'boolean' },
  'http-backend-info-refs': { type: 'boolean' },
} as const;

/** Their explanation. */
export const SERVICE_OPTIONS_HELP = `    --stateless-rpc       read one request, answer it, and end: one HTTP POST
    --http-backend-info-refs, --advertise-refs
                          only show the refs, as info/refs answers over HTTP

The environment variable GIT_PROTOCOL (version=1 or version=2) chooses the protocol, as for git.`;

export interface ServiceRun {
  readonly values: {
    readonly 'stateless-rpc'?: boolean | undefined;
    readonly 'advertise-refs'?: boolean | undefined;
    readonly 'http-backend-info-refs'?: boolean | undefined;
  };
  readonly positionals: readonly string[];
  readonly strict: boolean;
  readonly timeoutSeconds: number;
  /** In which versions a client may go away without a word. Default: in none, as git's programs have it. */
  readonly mayLeave?: ((version: ProtocolVersion) => boolean) | undefined;
  /** How the repository is opened. */
  readonly open?: OpenRepositoryOptions | undefined;
  readonly service: (repository: Repository, request: ByteStream, options: ServiceOptions) => ByteStream;
}

/**
 * Run one service to its end.
 *
 * @returns the failure the client has been told of, if any
 * @throws {GitError} one that it could not be told of; PROTOCOL_VIOLATION when it went away without a word
 */
export async function runService(run: ServiceRun, world: CommandWorld): Promise<unknown> {
  const [name, ...more] = run.positionals;
  if (name === undefined || more.length > 0) throw usageError('Expected one directory');
  const path = await enterRepository(name, world.directory, run.strict);
  const tasks = createThreadTaskPool(); // starts threads only when a push is large
  try {
    await using repository = await openRepository(path, {
      ...run.open,
      configSources: configSources(world.environment),
      tasks,
      onWarning: (warning) => void world.errors.write(formatWarning(warning)),
    });
    const { GIT_NAMESPACE: namespace = '' } = world.environment;
    return await converse(namespace === '' ? repository : inNamespace(repository, namespace), run, world);
  } finally {
    await tasks.close();
  }
}

async function converse(repository: Repository, run: ServiceRun, world: CommandWorld): Promise<unknown> {
  let failure: unknown;
  let hasLeft = false;
  const options = {
    mode: modeOf(run.values),
    protocolVersion: parseProtocolVersion(world.environment.GIT_PROTOCOL),
    limits: DEFAULT_LIMITS,
    onFailure: (error: unknown) => {
      failure ??= error;
    },
  };
  await untilSignal(async (stopped) => {
    const stop = (): void => void world.input.destroy(); // a wait for the client ends with it
    stopped.addEventListener('abort', stop, { once: true });
    const onSilence = (): void => {
      hasLeft = run.mayLeave?.(options.protocolVersion) !== true;
    };
    await serveOverPipes(
      (request, gone) => {
        const signal = AbortSignal.any([gone, stopped]);
        return run.service(repository, noting(request, onSilence), { ...options, signal });
      },
      { input: world.input, output: world.output },
      { timeoutSeconds: run.timeoutSeconds },
    );
  });
  if (hasLeft) throw new GitError('PROTOCOL_VIOLATION', 'the remote end hung up unexpectedly');
  return failure;
}

/** `request`; tells of one that ends without a byte. */
async function* noting(request: ByteStream, onSilence: () => void): AsyncGenerator<Uint8Array, undefined> {
  let isSilent = true;
  for await (const chunk of request) {
    isSilent = false;
    yield chunk;
  }
  if (isSilent) onSilence();
}

const ENDING_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** Programs that were started do not hear of the signals that end this process: it stops the work, and ends then. */
export async function untilSignal(work: (stopped: AbortSignal) => Promise<void>): Promise<void> {
  const stopping = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received = signal;
    stopping.abort(new GitError('ABORTED', `Stopped: by ${signal}`));
  };
  for (const signal of ENDING_SIGNALS) process.once(signal, onSignal);
  try {
    await work(stopping.signal);
  } finally {
    for (const signal of ENDING_SIGNALS) process.off(signal, onSignal);
    if (received !== undefined) process.kill(process.pid, received);
  }
}

/** What a failure says on standard error: the sentence of ours, or that it is a bug. */
export function failureSentence(failure: unknown): string {
  if (isGitError(failure)) return failure.message;
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}

/** As an error that ends the command. */
export function asFatal(failure: unknown): GitError {
  return isGitError(failure)
    ? failure
    : new GitError('STORAGE_FAILED', failureSentence(failure), {}, failure);
}

function modeOf(values: ServiceRun['values']): ServiceMode {
  if (values['advertise-refs'] === true || values['http-backend-info-refs'] === true) return 'advertise';
  return values['stateless-rpc'] === true ? 'stateless' : 'stateful';
}
