import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { startConfigured } from '../support/configured-server.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';

/** A whole server, whose application `answer`s as it likes. */
async function serverBefore(t: TestContext, application: Server) {
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  t.after(() => application.close().closeAllConnections());
  const { port } = application.address() as AddressInfo;
  const directory = await scratchDirectory(t);
  const root = join(directory, 'root');
  mkdirSync(root);
  git(directory, 'init', '-q', '--bare', '-b', 'main', join(root, 'app.git'));
  writeFileSync(join(directory, 'secret'), 'between us', { mode: 0o600 });
  const errors: unknown[] = [];
  const secretFile = join(directory, 'secret');
  const url = `http://127.0.0.1:${port}/`;
  const server = await startConfigured(
    t,
    {
      root,
      create: true,
      listen: { http: ['127.0.0.1:0'], git: ['127.0.0.1:0'] },
      access: { application: { url, secretFile, timeoutMs: 100, retries: 0 } },
    },
    { onError: (error) => void errors.push(error) },
  );
  return { directory, errors, http: server.urls[0] as string, daemon: server.urls[1] as string };
}

for (const [what, application] of [
  ['is gone', () => createServer((request) => request.socket.destroy())],
  ['hangs', () => createServer(() => undefined)],
  ['says nothing clear', () => createServer((_request, response) => response.end('{"allowed":"true"}'))],
  ['is broken', () => createServer((_request, response) => response.writeHead(500).end('{"allowed":true}'))],
  [
    'sends elsewhere',
    () => createServer((_request, response) => response.writeHead(302, { location: '/x' }).end()),
  ],
] as const) {
  test(`an application that ${what} lets nobody in, by any door`, async (t) => {
    const { directory, http, daemon } = await serverBefore(t, application());
    const authorization = `Basic ${Buffer.from('alice:secret').toString('base64')}`;
    for (const headers of [{}, { authorization }] as Record<string, string>[]) {
      for (const path of [
        'app/info/refs?service=git-upload-pack',
        'app/info/refs?service=git-receive-pack',
        'app/HEAD',
        'made/info/refs?service=git-receive-pack',
      ]) {
        const answer = await fetch(`${http}/${path}`, { headers });
        assert.ok([401, 403, 503].includes(answer.status), `${path}: ${answer.status}`);
        assert.doesNotMatch(await answer.text(), /refs\/|service=/);
      }
    }
    const cloned = await gitAsync(directory, 'ls-remote', `${daemon}/app`);
    assert.notEqual(cloned.status, 0);
    git(directory, 'init', '-q', '-b', 'main', 'work');
    git(join(directory, 'work'), 'commit', '-q', '--allow-empty', '-m', 'one');
    const url = http.replace('//', '//alice:secret@');
    const pushed = await gitAsync(join(directory, 'work'), 'push', `${url}/made`, 'HEAD:main');
    assert.notEqual(pushed.status, 0);
    assert.equal(existsSync(join(directory, 'root', 'made.git')), false);
  });
}
