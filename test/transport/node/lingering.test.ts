import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { encodeText } from '../../../src/core/bytes.ts';
import { GitError } from '../../../src/core/errors.ts';
import type { HttpAnswer } from '../../../src/transport/http/answer.ts';
import type { HttpExchange } from '../../../src/transport/http/options.ts';
import { nodeListener, type RequestSummary } from '../../../src/transport/node/http-listener.ts';
import type { Linger } from '../../../src/transport/node/lingering.ts';
import {
  type MadeCertificate,
  newAuthority,
  newServerCertificate,
  OPENSSL_MISSING,
} from '../../support/certificates.ts';
import { scratchDirectory } from '../../support/git.ts';

/** So much that no system takes it off a client's hands unless somebody reads it. */
const LARGE_BYTES = 16 * 1024 * 1024;
const SENTENCE = 'There is no room for that';

interface Served {
  readonly answer?: (exchange: HttpExchange) => Promise<HttpAnswer>;
  readonly linger?: Partial<Linger>;
  readonly signal?: AbortSignal;
  readonly tls?: MadeCertificate | undefined;
}

const FOREVER: Linger = { totalMs: 60_000, silenceMs: 60_000, bytes: Number.POSITIVE_INFINITY };

async function serve(t: TestContext, { answer = refuse, linger, signal, tls }: Served = {}) {
  const summaries: RequestSummary[] = [];
  const git = { exchange: answer, handle: () => Promise.reject(new Error('not used')) };
  const settings = {
    signal,
    linger: { ...FOREVER, ...linger },
    onFinish: (summary: RequestSummary) => void summaries.push(summary),
  };
  const listener = nodeListener(git, settings);
  const server =
    tls === undefined
      ? createServer({ requestTimeout: 0 }, listener)
      : createTlsServer({ requestTimeout: 0, cert: tls.certificate, key: tls.key }, listener);
  server.on('checkContinue', nodeListener(git, { ...settings, sendContinue: true }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const countConnections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    );
  return { server, port, summaries, countConnections };
}

/** Before a byte of the request is read. */
async function refuse(): Promise<HttpAnswer> {
  return { status: 401, headers: new Headers(), body: encodeText(SENTENCE) };
}

/** In the midst of a pack, as a service says it: of no length that is known before. */
async function report({ body }: HttpExchange): Promise<HttpAnswer> {
  await body[Symbol.asyncIterator]().next();
  return {
    status: 200,
    headers: new Headers(),
    body: (async function* () {
      yield encodeText('unpack ');
      yield encodeText(SENTENCE);
    })(),
  };
}

function open(port: number, tls: MadeCertificate | undefined): Socket {
  const socket =
    tls === undefined
      ? connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      : connectTls({ port, host: '127.0.0.1', ca: tls.certificate, rejectUnauthorized: false });
  socket.on('error', () => undefined); // the write that fails tells of it
  socket.pause();
  return socket;
}

/** @throws what the system says of a connection that was reset */
function write(socket: Socket, bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.write(bytes, (error) => {
      socket.off('error', reject);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** All of a request, which then waits to be read. */
async function writeRequest(socket: Socket, version: string, framing: string, more: string): Promise<void> {
  await write(
    socket,
    `POST /app.git/git-receive-pack HTTP/${version}\r\nHost: x\r\n${more}${framing}\r\n\r\n`,
  );
  const isChunked = framing.startsWith('Transfer');
  if (isChunked) await write(socket, `${LARGE_BYTES.toString(16)}\r\n`);
  await write(socket, new Uint8Array(LARGE_BYTES));
  if (isChunked) await write(socket, '\r\n0\r\n\r\n');
}

/** What comes until the other side ends, or `enough` of it has come. */
async function read(socket: Socket, enough = /$^/): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (enough.test(text)) break;
  }
  return text;
}

const LENGTH = `Content-Length: ${LARGE_BYTES}`;
const CHUNKS = 'Transfer-Encoding: chunked';

for (const isTls of [false, true]) {
  for (const [what, answer, status] of [
    ['a refusal', refuse, 401],
    ['a report in the midst', report, 200],
  ] as const) {
    for (const [version, framing, closes] of [
      ['1.1', LENGTH, true],
      ['1.1', CHUNKS, true],
      ['1.1', LENGTH, false],
      ['1.1', CHUNKS, false],
      ['1.0', LENGTH, true],
    ] as const) {
      const how = `${framing.split(':')[0]}, ${closes ? 'the last' : 'not the last'} of its connection`;
      const name = `HTTP${isTls ? 'S' : ''}/${version}, ${how}`;
      test(`${what} comes to who writes all before reading: ${name}`, {
        skip: isTls && OPENSSL_MISSING,
      }, async (t) => {
        const directory = await scratchDirectory(t);
        const tls = isTls
          ? newServerCertificate(directory, newAuthority(directory, 'authority'), 'server')
          : undefined;
        const { port, summaries, countConnections } = await serve(t, { answer, tls });
        const socket = open(port, tls);
        const connection = closes && version === '1.1' ? 'Connection: close\r\n' : '';
        await writeRequest(socket, version, framing, connection);
        if (!closes) {
          const text = await read(socket, new RegExp(`${SENTENCE}(?:\r\n0\r\n\r\n)?$`));
          assert.match(text, new RegExp(`^HTTP/1.1 ${status} `));
          await write(socket, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        }
        const text = await read(socket);
        assert.match(text, new RegExp(`^HTTP/1.1 ${closes ? status : answer === refuse ? 401 : 200} `));
        assert.match(text, new RegExp(SENTENCE));
        socket.destroy();
        await until(async () => (await countConnections()) === 0);
        assert.deepEqual(
          summaries.map(({ complete }) => complete),
          closes ? [true] : [true, true],
        );
      });
    }
  }
}

test('what is dropped is dropped in turns', async (t) => {
  const { server, port } = await serve(t);
  let rests = 0;
  server.on('request', (incoming) => incoming.on('pause', () => rests++));
  const socket = open(port, undefined);
  await write(socket, `POST /app.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n${CHUNKS}\r\n\r\n`);
  await write(socket, '1\r\na\r\n'.repeat(1_000_000));
  await write(socket, '0\r\n\r\n');
  assert.match(await read(socket, new RegExp(SENTENCE)), /^HTTP\/1\.1 401 /);
  socket.destroy();
  assert.ok(rests >= 10, `rested ${rests} times`);
});

test('a client that reads while it writes sees the end of the answer at once', async (t) => {
  const { port } = await serve(t, { answer: report });
  const socket = open(port, undefined);
  await write(socket, `POST / HTTP/1.0\r\nHost: x\r\n${LENGTH}\r\n\r\nabc`);
  assert.match(await read(socket), new RegExp(`\r\n\r\nunpack ${SENTENCE}$`)); // nothing else says where it ends
  socket.destroy();
});

for (const [what, sendsBody] of [
  ['who was not told to send', false],
  ['who sends though nobody asked for it', true],
] as const) {
  test(`with Expect: 100-continue the answer comes to one ${what}`, async (t) => {
    const { port, countConnections } = await serve(t);
    const socket = open(port, undefined);
    const head = `POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n${LENGTH}\r\n\r\n`;
    await write(socket, head);
    if (sendsBody) await write(socket, new Uint8Array(LARGE_BYTES));
    const text = await read(socket);
    assert.match(text, /^HTTP\/1.1 401 /);
    assert.match(text, /Connection: close/i);
    assert.match(text, new RegExp(SENTENCE));
    socket.end();
    await until(async () => (await countConnections()) === 0);
  });
}

test('an answer that fails on its way still brings what was said before', async (t) => {
  const { port } = await serve(t, {
    answer: async () => ({
      status: 200,
      headers: new Headers(),
      body: (async function* () {
        yield encodeText(SENTENCE);
        throw new GitError('STORAGE_FAILED', 'broken');
      })(),
    }),
  });
  const socket = open(port, undefined);
  await writeRequest(socket, '1.1', LENGTH, '');
  const text = await read(socket);
  assert.match(text, new RegExp(`${SENTENCE}\r\n$`));
  assert.doesNotMatch(text, /\r\n0\r\n/);
  socket.destroy();
});

for (const connection of ['close', 'keep-alive']) {
  const head = `POST / HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\n${CHUNKS}\r\n\r\n`;
  const CHUNK = `10000\r\n${'x'.repeat(0x10000)}\r\n`;

  test(`no more than so many bytes are dropped (${connection})`, async (t) => {
    const { port, summaries, countConnections } = await serve(t, { linger: { bytes: 1_000_000 } });
    const socket = open(port, undefined);
    await write(socket, head);
    await assert.rejects(async () => {
      for (;;) await write(socket, CHUNK);
    });
    assert.ok(socket.bytesWritten > 1_000_000, `cut after ${socket.bytesWritten}`);
    await until(async () => (await countConnections()) === 0 && summaries.length === 1);
  });

  test(`no more than so much time is spent on dropping (${connection})`, async (t) => {
    const { port, summaries, countConnections } = await serve(t, { linger: { totalMs: 100 } });
    const socket = open(port, undefined);
    await write(socket, head);
    await assert.rejects(async () => {
      for (;;) {
        await write(socket, '1\r\nx\r\n');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    await until(async () => (await countConnections()) === 0 && summaries.length === 1);
  });

  test(`silence ends the dropping (${connection})`, async (t) => {
    const { port, summaries, countConnections } = await serve(t, { linger: { silenceMs: 50 } });
    const socket = open(port, undefined);
    await write(socket, `${head}${CHUNK}`);
    assert.match(await read(socket), new RegExp(SENTENCE));
    await until(async () => (await countConnections()) === 0 && summaries.length === 1);
  });

  test(`a client that vanishes while bytes are dropped holds nothing (${connection})`, async (t) => {
    const { port, summaries, countConnections } = await serve(t);
    const socket = open(port, undefined);
    await write(socket, `${head}${CHUNK}`);
    await read(socket, new RegExp(SENTENCE));
    assert.deepEqual([await countConnections(), summaries.length], [1, 0]);
    socket.resetAndDestroy();
    await until(async () => (await countConnections()) === 0 && summaries.length === 1);
    assert.equal(summaries[0]?.complete, true);
  });

  test(`a server that stops waits for no such client (${connection})`, async (t) => {
    const stop = new AbortController();
    const { port, summaries, countConnections } = await serve(t, { signal: stop.signal });
    const socket = open(port, undefined);
    await write(socket, `${head}${CHUNK}`);
    await read(socket, new RegExp(SENTENCE));
    stop.abort(new GitError('ABORTED', 'the server is shutting down'));
    await until(async () => (await countConnections()) === 0 && summaries.length === 1);
    socket.destroy();
  });
}

test('what is sent behind the last request of a connection is not served', async (t) => {
  const paths: string[] = [];
  const { port, countConnections } = await serve(t, {
    answer: async ({ request }) => {
      paths.push(new URL(request.url).pathname);
      return refuse();
    },
  });
  const socket = open(port, undefined);
  await write(socket, 'POST /first HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nab');
  assert.match(await read(socket), new RegExp(SENTENCE));
  await write(socket, 'cdePOST /second HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n').catch(
    () => undefined,
  );
  await until(async () => (await countConnections()) === 0);
  assert.deepEqual(paths, ['/first']);
  socket.destroy();
});

test('a client of Node that writes on gets its answer', async (t) => {
  const { port } = await serve(t);
  const client = httpRequest({ port, method: 'POST', agent: false });
  const closed = once(client, 'close');
  client.end(new Uint8Array(LARGE_BYTES));
  const [response] = (await once(client, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 401);
  let text = '';
  for await (const chunk of response) text += String(chunk);
  assert.equal(text, SENTENCE);
  await closed;
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail('it did not come about');
}
