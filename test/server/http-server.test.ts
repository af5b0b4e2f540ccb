import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import { encodeText } from '../../src/core/bytes.ts';
import { listenHttp, type RunningHttpServer } from '../../src/server/http-server.ts';
import type { HttpAnswer } from '../../src/transport/http/answer.ts';
import type { HttpExchange } from '../../src/transport/http/options.ts';

const answer = (body: HttpAnswer['body']): HttpAnswer => ({ status: 200, headers: new Headers(), body });

/** A server whose answers come in two parts, the second when it is let go. */
async function slowServer(t: TestContext) {
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const ended: string[] = [];
  const exchange = async ({ signal }: HttpExchange) =>
    answer(
      (async function* () {
        try {
          yield encodeText('first ');
          await Promise.race([gate, once(signal, 'abort').then(() => Promise.reject(signal.reason))]);
          yield encodeText('second');
          ended.push('finished');
        } catch (error) {
          ended.push('cut');
          throw error;
        }
      })(),
    );
  const git = { exchange, handle: () => Promise.reject(new Error('not used')) };
  const server = await listenHttp(git, { host: '127.0.0.1', port: 0 });
  t.after(() => server.drain(0));
  return { server, letGo, ended };
}

test('port 0 takes a free port and says which', async (t) => {
  const { server } = await slowServer(t);
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  assert.equal(server.url, `http://127.0.0.1:${server.port}`);
});

test('a port in use is a clear failure', async (t) => {
  const { server } = await slowServer(t);
  const git = { exchange: async () => answer(undefined), handle: async () => new Response() };
  await assert.rejects(listenHttp(git, { host: '127.0.0.1', port: server.port }), {
    code: 'INVALID_ARGUMENT',
    message: `Cannot listen on 127.0.0.1:${server.port}: the port is in use`,
  });
});

/** Begin a request and wait for the first part of its answer. */
async function begin(server: RunningHttpServer) {
  const response = await fetch(`${server.url}/x`);
  const reader = response.body!.getReader();
  const first = await reader.read();
  assert.equal(Buffer.from(first.value!).toString(), 'first ');
  return reader;
}

test('a drain lets a running request finish, and takes nothing new', async (t) => {
  const { server, letGo, ended } = await slowServer(t);
  const reader = await begin(server);
  assert.equal(server.runningCount, 1);
  const drained = server.drain(10_000);
  await assert.rejects(fetch(`${server.url}/y`));
  letGo();
  assert.equal(Buffer.from((await reader.read()).value!).toString(), 'second');
  assert.equal((await reader.read()).done, true);
  assert.equal(await drained, 0);
  assert.deepEqual(ended, ['finished']);
});

test('a drain cuts what does not finish in time', async (t) => {
  const { server, ended } = await slowServer(t);
  const reader = await begin(server);
  assert.equal(await server.drain(20), 1);
  await assert.rejects(reader.read());
  assert.deepEqual(ended, ['cut']);
  assert.equal(server.runningCount, 0);
});

test('a drain is not held up by connections without a request', async (t) => {
  const { server, letGo } = await slowServer(t);
  const unused = connect(server.port, '127.0.0.1');
  await once(unused, 'connect');
  await begin(server);
  letGo();
  const closed = once(unused, 'close');
  assert.equal(await server.drain(10_000), 0);
  await closed;
});

test('a request that arrives while others finish is told to come back later', async (t) => {
  const { server, letGo } = await slowServer(t);
  await begin(server);
  const late = connect(server.port, '127.0.0.1');
  late.write('GET /y HTTP/1.1\r\n');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const drained = server.drain(10_000);
  late.write('Host: x\r\n\r\n');
  const [text] = await once(late, 'data');
  assert.match(String(text), /^HTTP\/1\.1 503 [\s\S]*\r\nretry-after: 10\r\n/);
  letGo();
  assert.equal(await drained, 0);
});

test('requests that wait behind another on one connection end with it', async (t) => {
  const { server } = await slowServer(t);
  const client = connect(server.port, '127.0.0.1');
  client.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
  await once(client, 'data');
  while (server.runningCount < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  client.destroy();
  while (server.runningCount > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});
