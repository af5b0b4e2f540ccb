/**
 * The reference server: a directory of repositories behind HTTP listeners, started and stopped as one.
 *
 * @module
 */
import type { GitError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import { warmMemory } from '../core/memory-budget.ts';
import { createThreadTaskPool } from '../pack/node/thread-task-pool.ts';
import type { WantPolicy } from '../protocol/fetch-context.ts';
import type { ConfigSources } from '../repository/node/config/config-sources.ts';
import { createRepositoryDirectory } from '../repository/node/repository-directory.ts';
import type { RefPolicy } from '../repository/push/ref-policy.ts';
import { createGitServer } from '../transport/http/git-server.ts';
import type { DaemonListener } from '../transport/node/git-daemon-listener.ts';
import type { RequestSummary } from '../transport/node/http-listener.ts';
import { pointHeadAtPushedBranch } from './default-branch.ts';
import { listenGit } from './git-daemon.ts';
import { listenHttp, type RunningHttpServer } from './http-server.ts';
import { prepareRoot } from './root-directory.ts';

export interface ReferenceServerOptions {
  /** Absolute path of the directory whose bare repositories are served. */
  readonly root: string;
  readonly listeners: readonly { readonly host: string; readonly port: number }[];
  /** Where fetches and archives are served over git:// as well. */
  readonly gitListeners?: readonly { readonly host: string; readonly port: number }[] | undefined;
  /** Make a repository on the first push to a new name, and `root` itself. */
  readonly create: boolean;
  readonly readOnly?: boolean | undefined;
  readonly wantPolicy?: WantPolicy | undefined;
  /** Whether clients of the dumb protocol are given stored files; see GitServerOptions. */
  readonly dumb?: boolean | undefined;
  readonly refPolicy?: RefPolicy | undefined;
  /** Default true. False accepts pushes without looking for SHA-1 collision attacks. */
  readonly collisionDetection?: boolean | undefined;
  /** Whether the repositories' own hooks and git's maintenance are run in pushes; see OpenRepositoryOptions. Default `own`. */
  readonly hooks?: 'own' | 'any' | 'none' | undefined;
  /** Configuration beside the repositories' own; see OpenRepositoryOptions. */
  readonly configSources?: ConfigSources | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Bytes that the process keeps warm for later requests. Default 128 MiB. */
  readonly cacheBytes?: number | undefined;
  /** Milliseconds after which a repository that nobody uses is closed. Default five minutes. */
  readonly keepOpenMs?: number | undefined;
  readonly onAccess?: ((summary: RequestSummary) => void) | undefined;
  /** Told once of each pack, bitmap or other object file that cannot be used and is passed over; `detail.path` is its place. */
  readonly onWarning?: ((warning: GitError) => void) | undefined;
  /** Told of failures with the name of the repository they were about. */
  readonly onError?: ((error: unknown, name: string) => void) | undefined;
}

export interface ReferenceServer {
  /** One a listener, in their order and those of git:// last, without a slash at the end. */
  readonly urls: readonly string[];
  /** Requests being served now. */
  readonly runningCount: number;
  /** Take nothing new, let what runs finish within `deadlineMs`, cut the rest. @returns how many were cut */
  stop(deadlineMs: number): Promise<number>;
}

/**
 * Open every listener, or none.
 *
 * @throws {GitError} INVALID_ARGUMENT or STORAGE_FAILED when the root or a port cannot be used
 */
export async function startServer(options: ReferenceServerOptions): Promise<ReferenceServer> {
  const { root, create, hooks = 'own', limits, onAccess, onError } = options;
  await prepareRoot(root, create);
  if (options.cacheBytes !== undefined) warmMemory.setLimit(options.cacheBytes);
  const tasks = createThreadTaskPool();
  const repositories = createRepositoryDirectory(root, {
    create,
    tasks,
    hooks,
    maintenance: hooks !== 'none',
    configSources: options.configSources,
    keepOpenMs: options.keepOpenMs,
    onWarning: options.onWarning,
  });
  const close = async (): Promise<void> => {
    await repositories[Symbol.asyncDispose]();
    await tasks.close();
  };
  const git = createGitServer({
    repositories,
    authorize: async ({ operation }) =>
      operation === 'push' && options.readOnly === true
        ? { allow: false, status: 403, message: 'This server is read-only' }
        : { allow: true },
    limits,
    dumb: options.dumb,
    fetch: { wantPolicy: options.wantPolicy },
    push: { policy: options.refPolicy, collisionDetection: options.collisionDetection },
    hooks: create ? { postReceive: pointHeadAtPushedBranch } : undefined,
    onError: (error, { name }) => onError?.(error, name),
  });

  const running: (RunningHttpServer | DaemonListener)[] = [];
  try {
    for (const { host, port } of options.listeners) {
      running.push(
        await listenHttp(git, {
          host,
          port,
          idleTimeoutMs: limits?.idleTimeoutMs,
          onFinish: onAccess,
          onError: (error) => onError?.(error, ''),
        }),
      );
    }
    for (const { host, port } of options.gitListeners ?? []) {
      const { wantPolicy } = options;
      running.push(await listenGit({ host, port, repositories, wantPolicy, limits, onError }));
    }
  } catch (error) {
    await Promise.all(running.map((server) => server.drain(0)));
    await close();
    throw error;
  }
  return {
    urls: running.map(({ url }) => url),
    get runningCount() {
      return running.reduce((sum, server) => sum + server.runningCount, 0);
    },
    async stop(deadlineMs) {
      const cut = await Promise.all(running.map((server) => server.drain(deadlineMs)));
      await close();
      return cut.reduce((sum, count) => sum + count, 0);
    },
  };
}
