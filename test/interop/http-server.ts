/**
 * A server in this process over a directory of repositories, for real git to talk to.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createRepositoryDirectory } from '../../src/repository/node/repository-directory.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { createGitServer } from '../../src/transport/http/git-server.ts';
import type { GitServerOptions } from '../../src/transport/http/options.ts';
import { nodeListener, type RequestSummary } from '../../src/transport/node/http-listener.ts';

export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface TestServer {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly requests: SeenRequest[];
  readonly summaries: RequestSummary[];
  readonly errors: unknown[];
  /** Repositories that a request holds now. */
  readonly openCount: () => number;
}

/** Serve the repositories below `root`, making new ones on push; closed when the test ends. */
export async function serveDirectory(
  context: Pick<TestContext, 'after'>,
  root: string,
  options: Partial<GitServerOptions> = {},
): Promise<TestServer> {
  const directory = createRepositoryDirectory(root, { create: true });
  const requests: SeenRequest[] = [];
  const summaries: RequestSummary[] = [];
  const errors: unknown[] = [];
  let open = 0;
  const git = createGitServer({
    repositories: async (name, { intent }) => {
      const repository = await directory(name, { intent });
      if (repository === undefined) return undefined;
      open++;
      return counted(repository, () => open--);
    },
    onError: (error) => void errors.push(error),
    ...options,
  });
  const listener = nodeListener(git, {
    onFinish: (summary) => void summaries.push(summary),
    onError: (error) => void errors.push(error),
  });
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    requests.push({ method: request.method ?? '', target: request.url ?? '', headers: request.headers });
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(async () => {
    server.closeAllConnections();
    server.close();
    await directory[Symbol.asyncDispose]();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, requests, summaries, errors, openCount: () => open };
}

function counted(repository: Repository, onDispose: () => void): Repository {
  return {
    ...repository,
    async [Symbol.asyncDispose]() {
      onDispose();
      await repository[Symbol.asyncDispose]();
    },
  };
}

/** Wait for `done`, for at most ten seconds. */
export async function eventually(done: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (done()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain until ${what}`);
}
