import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { ApplicationConnections, LateAnswer } from '../../../src/server/access/application-post.ts';
import { newAuthority, newServerCertificate, OPENSSL_MISSING } from '../../support/certificates.ts';

const POST_MODULE = new URL('../../../src/server/access/application-post.ts', import.meta.url);

async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function served(t: TestContext, listener: RequestListener) {
  const server = createServer(listener);
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  const url = new URL(`http://${await listening(t, server)}/authorize`);
  const connections = new ApplicationConnections(url);
  const post = (timeoutMs = 5_000, signal?: AbortSignal) =>
    connections.post(url, '{}', {
      headers: { accept: 'application/json' },
      timeoutMs,
      maxAnswerBytes: 100,
      signal,
    });
  return { sockets, post };
}

test('one connection carries questions one after another', async (t) => {
  const { sockets, post } = await served(t, (request, response) => {
    request.resume().on('end', () => response.end(`${request.method} ${request.headers['content-length']}`));
  });
  for (let n = 0; n < 3; n++) assert.deepEqual(await post(), { status: 200, text: 'POST 2' });
  assert.equal(sockets.length, 1);
});

test('one that was closed in the meantime is not held against the application', async (t) => {
  let asked = 0;
  const { sockets, post } = await served(t, (request, response) => {
    asked++;
    // The second comes on a kept connection, which ends without a word.
    if (asked === 2) request.socket.destroy();
    else response.end('yes');
  });
  assert.equal((await post()).text, 'yes');
  assert.equal((await post()).text, 'yes');
  assert.equal(sockets.length, 2);
});

test('a new one that ends without a word is an error', async (t) => {
  const { sockets, post } = await served(t, (request) => request.socket.destroy());
  await assert.rejects(post(), { code: 'ECONNRESET' });
  assert.equal(sockets.length, 1);
});

test('an answer has to end in time, not only to begin', async (t) => {
  let asked = 0;
  const { sockets, post } = await served(t, (_request, response) => {
    asked++;
    if (asked === 1) response.end('yes');
    else response.write('ye');
  });
  await post();
  await assert.rejects(post(50), LateAnswer);
  assert.equal(asked, 2);
  assert.equal(sockets.length, 1);
});

test('a longer answer than is read is none', async (t) => {
  const { post } = await served(t, (_request, response) => response.end('x'.repeat(101)));
  assert.deepEqual(await post(), { status: 200, text: undefined });
});

test('who stops asking ends it', async (t) => {
  const { post } = await served(t, (_request, response) => response.write('ye'));
  const gone = new AbortController();
  const asking = post(5_000, gone.signal);
  setTimeout(() => gone.abort(), 20);
  await assert.rejects(asking);
});

test('over https the application has to prove who it is', { skip: OPENSSL_MISSING }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'packwire-application-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const authority = newAuthority(directory, 'authority');
  const { certificate, key } = newServerCertificate(directory, authority, 'application');
  let asked = 0;
  const server = createTlsServer({ cert: certificate, key }, (_request, response) => {
    asked++;
    response.end('yes');
  });
  const url = new URL(`https://${await listening(t, server)}/authorize`);

  const options = { headers: {}, timeoutMs: 5_000, maxAnswerBytes: 100 };
  await assert.rejects(new ApplicationConnections(url).post(url, '{}', options), {
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  });
  assert.equal(asked, 0);

  // Node reads whom it trusts when a process starts.
  const script = `
    import { ApplicationConnections } from ${JSON.stringify(POST_MODULE)};
    const url = new URL('${url}');
    const connections = new ApplicationConnections(url);
    for (let n = 0; n < 2; n++) {
      process.stdout.write((await connections.post(url, '{}', ${JSON.stringify(options)})).text);
    }`;
  const words = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority.certificatePath };
  const { stdout } = await promisify(execFile)(process.execPath, words, { env });
  assert.equal(stdout, 'yesyes');
  assert.equal(asked, 2);
});
