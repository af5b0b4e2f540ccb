/**
 * The reference server over git://: fetches and archives of the same repositories, for everybody. Pushes are refused,
 * since the protocol does not say who pushes.
 *
 * @module
 */
import { isGitError } from '../core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/limits.ts';
import type { WantPolicy } from '../protocol/fetch-context.ts';
import type { Repository } from '../repository/repository.ts';
import { serveDaemonConnection } from '../transport/git-daemon/serve-connection.ts';
import { type DaemonListener, listenGitDaemon } from '../transport/node/git-daemon-listener.ts';

export interface GitDaemonServerOptions {
  readonly host: string;
  readonly port: number;
  readonly repositories: (
    name: string,
    context: { readonly intent: 'read' },
  ) => Promise<Repository | undefined>;
  readonly wantPolicy?: WantPolicy | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly onError?: ((error: unknown, name: string) => void) | undefined;
}

/** For the one packet of a request, which clients send at once. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Of all clients together. */
const MAX_CONNECTIONS = 1024;
const NO_REPOSITORY = { refused: 'access denied or repository not exported' };

/** @throws {GitError} INVALID_ARGUMENT when the address cannot be listened on */
export function listenGit(options: GitDaemonServerOptions): Promise<DaemonListener> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { host, port, repositories, wantPolicy, onError } = options;
  return listenGitDaemon({
    host,
    port,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    idleTimeoutMs: limits.idleTimeoutMs,
    maxConnections: MAX_CONNECTIONS,
    serve: (input, context) =>
      serveDaemonConnection(
        input,
        {
          limits,
          fetch: { wantPolicy },
          onFailure: (error, { path }) => onError?.(error, path),
          async open({ service, path }) {
            if (service === 'receive-pack') return { refused: 'service not enabled' };
            const repository = await repositories(path.replace(/^\//, ''), { intent: 'read' });
            return repository === undefined ? NO_REPOSITORY : { repository };
          },
        },
        context,
      ),
    onDisconnect: (_, error) => {
      if (error !== undefined && !isGitError(error, 'ABORTED', 'PROTOCOL_VIOLATION')) onError?.(error, '');
    },
  });
}
