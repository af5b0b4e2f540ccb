/**
 * The server over git://: fetches and archives of the same repositories, for everybody whom nobody needs to know.
 * Pushes are refused, since the protocol does not say who pushes.
 *
 * @module
 */
import { isGitError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import type { WantPolicy } from '../protocol/fetch-context.ts';
import type { Repository } from '../repository/repository.ts';
import type { AdmitClient } from '../transport/client-work.ts';
import { serveDaemonConnection } from '../transport/git-daemon/serve-connection.ts';
import { bodyFloorOf } from '../transport/node/body-floor.ts';
import { type DaemonListener, listenGitDaemon } from '../transport/node/git-daemon-listener.ts';

/** One request to be let in. */
interface DaemonKnock {
  readonly operation: 'fetch' | 'archive';
  /** Without slashes in front. */
  readonly name: string;
  readonly address: string | undefined;
}

export interface DaemonServerOptions {
  /** @returns `undefined` when there is none */
  readonly repositories: (name: string) => Promise<Repository | undefined>;
  /** Whether anybody may. @throws {GitError} RATE_LIMITED, and whatever else decides against it */
  readonly authorize: (knock: DaemonKnock) => Promise<boolean>;
  readonly admit?: AdmitClient | undefined;
  readonly fetch: { readonly wantPolicy?: WantPolicy | undefined };
  readonly limits: Limits;
  readonly onError?: ((error: unknown, name: string) => void) | undefined;
}

/** For the one packet of a request, which clients send at once. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Of all clients together. */
const MAX_CONNECTIONS = 1024;
const NO_REPOSITORY = { refused: 'access denied or repository not exported' };

/**
 * @param options asked for at each connection: they may be others by then
 * @throws {GitError} INVALID_ARGUMENT when the address cannot be listened on
 */
export function listenGit(
  { host, port }: { readonly host: string; readonly port: number },
  options: () => DaemonServerOptions,
): Promise<DaemonListener> {
  return listenGitDaemon({
    host,
    port,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    get idleTimeoutMs() {
      return options().limits.idleTimeoutMs;
    },
    get pushPauseMs() {
      return options().limits.pushPauseMs;
    },
    get floor() {
      return bodyFloorOf(options().limits);
    },
    maxConnections: MAX_CONNECTIONS,
    serve: (input, context) => {
      const { repositories, authorize, onError, ...engine } = options();
      return serveDaemonConnection(
        input,
        {
          ...engine,
          onFailure: (error, { path }) => onError?.(error, path),
          async open({ service, path }, { client }) {
            if (service === 'receive-pack') return { refused: 'service not enabled' };
            const name = path.replace(/^\/+/, '');
            const operation = service === 'upload-archive' ? 'archive' : 'fetch';
            if (!(await authorize({ operation, name, address: client?.address }))) return NO_REPOSITORY;
            const repository = await repositories(name);
            return repository === undefined ? NO_REPOSITORY : { repository };
          },
        },
        context,
      );
    },
    onDisconnect: (_, error) => {
      if (error !== undefined && !isGitError(error, 'ABORTED', 'PROTOCOL_VIOLATION')) {
        options().onError?.(error, '');
      }
    },
  });
}
