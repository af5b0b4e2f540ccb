/**
 * Git's services as an SSH server runs them: may they, which repository, and then the service.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../core/limits.ts';
import { parseProtocolVersion } from '../../protocol/service.ts';
import type { PushHooks } from '../../repository/push/hooks.ts';
import type { Repository } from '../../repository/repository.ts';
import { type AdmitClient, admitFrom } from '../client-work.ts';
import { runStatefulService, type StatefulService, type StatefulSettings } from '../stateful-service.ts';
import type { SshCommand } from './ssh-command.ts';

/** What an application is asked of one command. */
export interface SshAsk {
  readonly operation: 'fetch' | 'archive' | 'push';
  /** The path without slashes in front: `team/app.git`. */
  readonly name: string;
  /** Whoever the authenticator found. */
  readonly principal: unknown;
  readonly address: string;
}

export interface GitOverSshOptions {
  /** Finds repositories by name; `undefined` when there is none, or none to be seen. They are disposed here. */
  readonly repositories: (
    name: string,
    context: { readonly intent: 'read' | 'write'; readonly principal: unknown; readonly signal: AbortSignal },
  ) => Promise<Repository | undefined>;
  /** @returns why not, in one sentence; `undefined` allows it. Without it everybody who is known may do everything */
  readonly authorize?: ((ask: SshAsk) => Promise<string | undefined>) | undefined;
  /** Asked for room right before heavy work. Without it there is always room. */
  readonly admit?: AdmitClient | undefined;
  readonly hooks?: PushHooks | undefined;
  /** Overrides of single members of `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits> | undefined;
  readonly fetch?: StatefulSettings['fetch'];
  readonly push?: Omit<NonNullable<StatefulSettings['push']>, 'hooks' | 'principal'> | undefined;
  readonly archive?: StatefulSettings['archive'];
}

const OPERATIONS: Readonly<Record<StatefulService, SshAsk['operation']>> = {
  'upload-pack': 'fetch',
  'receive-pack': 'push',
  'upload-archive': 'archive',
};

/** The `serve` of an SSH server. */
export function gitOverSsh(options: GitOverSshOptions): (command: SshCommand) => ByteStream {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  return async function* serve({ service: spelled, path, protocol, principal, login, input, signal }) {
    const service = spelled.slice('git-'.length) as StatefulService;
    const name = path.replace(/^\/+/, '');
    const operation = OPERATIONS[service];
    const refusal = await options.authorize?.({ operation, name, principal, address: login.address });
    if (refusal !== undefined) throw new GitError('ACCESS_DENIED', refusal);
    const intent = operation === 'push' ? 'write' : 'read';
    await using repository = await options.repositories(name, { intent, principal, signal });
    if (repository === undefined)
      throw new GitError('REPOSITORY_NOT_FOUND', 'Cannot find repository', { name });
    let failure: Error | undefined;
    yield* runStatefulService(
      service,
      repository,
      input,
      { ...options, push: { ...options.push, hooks: options.hooks, principal } },
      {
        protocolVersion: parseProtocolVersion(protocol),
        limits,
        signal,
        admit: admitFrom(options.admit, { principal, name, client: { address: login.address } }),
        onFailure: (error) => {
          failure ??= error instanceof Error ? error : new Error(String(error));
        },
      },
    );
    // The client knows already; thrown, it becomes the exit code and a line for the user, as with git's programs.
    if (failure !== undefined) throw failure;
  };
}
