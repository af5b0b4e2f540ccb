/**
 * A directory of repositories behind an authorizer, over HTTP, as a server for others has it.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createRepositoryDirectory } from '../../src/repository/node/repository-directory.ts';
import type { PushHooks } from '../../src/repository/push/hooks.ts';
import type { Authorizer } from '../../src/server/access/authorizer.ts';
import { createHttpAccess, type HttpAccessOptions } from '../../src/server/access/http-access.ts';
import { createPushAuthorization } from '../../src/server/access/push-authorization.ts';
import { createGitServer } from '../../src/transport/http/git-server.ts';
import type { GitServerOptions } from '../../src/transport/http/options.ts';
import { nodeListener } from '../../src/transport/node/http-listener.ts';

interface GuardedServerOptions {
  readonly root: string;
  readonly authorizer: Authorizer;
  readonly authenticate?: HttpAccessOptions['authenticate'];
  readonly hooks?: PushHooks;
  readonly create?: boolean;
  readonly server?: Partial<GitServerOptions>;
}

interface GuardedServer {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  readonly errors: unknown[];
  /** The URL of a repository, with somebody's token in it. */
  as(user: string, token: string, repository: string): string;
}

export async function guardedServer(t: TestContext, options: GuardedServerOptions): Promise<GuardedServer> {
  const {
    root,
    authorizer,
    authenticate = () => Promise.resolve(undefined),
    hooks,
    create = false,
  } = options;
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const repositories = createRepositoryDirectory(root, { create });
  const access = createHttpAccess({ authorizer, authenticate });
  const exists = async (name: string): Promise<boolean> => {
    const found = await repositories.resolve(name, 'read');
    await found?.[Symbol.asyncDispose]();
    return found !== undefined;
  };
  const git = createGitServer({
    repositories,
    authorize: async ({ operation, name, request }) => {
      const repository = await repositories.nameOf(name);
      if (repository === undefined) return { allow: false, status: 404, message: 'Repository not found' };
      const mustMake = async (): Promise<boolean> => !(await exists(name));
      const authorization = request.headers.get('authorization');
      return access({ operation, repository, authorization, mustMake });
    },
    hooks,
    push: { authorizeUpdates: createPushAuthorization({ authorizer, onError }) },
    onError,
    ...options.server,
  });
  const server = createServer(nodeListener(git));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await repositories[Symbol.asyncDispose]();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    errors,
    as: (user, token, repository) => `http://${user}:${token}@127.0.0.1:${port}/${repository}`,
  };
}
