import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import type { ByteStream } from '../../../src/core/byte-stream.ts';
import { encodeText } from '../../../src/core/bytes.ts';
import { GitError } from '../../../src/core/errors.ts';
import type { HttpAnswer } from '../../../src/transport/http/answer.ts';
import type { HttpExchange } from '../../../src/transport/http/options.ts';
import {
  type NodeListenerOptions,
  nodeListener,
  type RequestSummary,
} from '../../../src/transport/node/http-listener.ts';
import { drain } from '../../support/streams.ts';

type Exchange = (exchange: HttpExchange) => Promise<HttpAnswer>;

async function serve(context: TestContext, exchange: Exchange, options: NodeListenerOptions = {}) {
  const summaries: RequestSummary[] = [];
  const errors: unknown[] = [];
  const settings = {
    ...options,
    onFinish: (summary: RequestSummary) => void summaries.push(summary),
    onError: (error: unknown) => void errors.push(error),
  };
  const git = { exchange, handle: () => Promise.reject(new Error('not used')) };
  const server = createServer({ requestTimeout: 0 }, nodeListener(git, settings));
  server.on('checkContinue', nodeListener(git, { ...settings, sendContinue: true }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}`, summaries, errors };
}

const answer = (body: HttpAnswer['body'], status = 200): HttpAnswer => ({
  status,
  headers: new Headers({ 'content-type': 'text/x' }),
  body,
});

async function* forever(onEnd: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      yield new Uint8Array(64 * 1024);
    }
  } finally {
    onEnd();
  }
}

const settled = async (done: () => boolean): Promise<void> => {
  for (let i = 0; i < 400 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(done());
};

test('a request arrives whole and its answer goes back whole', async (t) => {
  const { url, summaries } = await serve(t, async ({ request, body }) => {
    const sent = await drain(body);
    const head = `${request.method} ${new URL(request.url).pathname} ${request.headers.get('git-protocol')}`;
    return answer(encodeText(`${head} ${sent.length}`));
  });
  const response = await fetch(`${url}/a%20b/c`, {
    method: 'POST',
    headers: { 'git-protocol': 'version=2' },
    body: new Uint8Array(300_000),
  });
  assert.equal(await response.text(), 'POST /a%20b/c version=2 300000');
  assert.equal(response.headers.get('content-type'), 'text/x');
  await settled(() => summaries.length === 1);
  const { durationMs, ...rest } = summaries[0] as RequestSummary;
  assert.ok(durationMs >= 0);
  assert.deepEqual(rest, {
    method: 'POST',
    target: '/a%20b/c',
    client: { address: '127.0.0.1', certificate: undefined },
    status: 200,
    sentBytes: 30,
    complete: true,
  });
});

test('a streamed answer comes chunk by chunk, while the request is still being sent', async (t) => {
  const { port } = await serve(t, async ({ body }) => answer(body));
  const client = httpRequest({ port, method: 'POST', path: '/x' });
  client.write('one');
  const [response] = (await once(client, 'response')) as [IncomingMessage];
  assert.equal(String((await once(response, 'data'))[0]), 'one');
  for (const word of ['two', 'three']) {
    client.write(word);
    assert.equal(String((await once(response, 'data'))[0]), word);
  }
  client.end();
  await once(response, 'end');
});

test('HEAD gives the head alone, and ends the work', async (t) => {
  let ended = false;
  const { url } = await serve(t, async () => {
    const body = forever(() => (ended = true));
    await body.next();
    return answer(body);
  });
  const response = await fetch(url, { method: 'HEAD' });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), '');
  assert.ok(ended);
});

test('a connection is used again after an answer that left the request unread', async (t) => {
  const { url } = await serve(t, async () => answer(encodeText('no'), 403));
  for (let i = 0; i < 3; i++) {
    const response = await fetch(url, { method: 'POST', body: new Uint8Array(2_000_000) });
    assert.equal(response.status, 403);
    assert.equal(await response.text(), 'no');
  }
});

test('an answer that fails on its way breaks the connection', async (t) => {
  const { url, errors } = await serve(t, async () =>
    answer(
      (async function* () {
        yield encodeText('a part');
        throw new GitError('OBJECT_CORRUPT', 'broken');
      })(),
    ),
  );
  const response = await fetch(url);
  await assert.rejects(response.text());
  assert.deepEqual(errors, []);
});

test('a bug breaks the connection and is reported', async (t) => {
  const { url, errors } = await serve(t, () => Promise.reject(new TypeError('a bug')));
  await assert.rejects(fetch(url));
  assert.match(String(errors[0]), /a bug/);
});

test('a client that stops reading holds the service back, and one that goes away ends it', async (t) => {
  let producedBytes = 0;
  let ended = false;
  let signal: AbortSignal | undefined;
  const { port, summaries } = await serve(t, async (exchange) => {
    signal = exchange.signal;
    const source = forever(() => (ended = true));
    return answer(
      (async function* () {
        for await (const chunk of source) {
          producedBytes += chunk.length;
          yield chunk;
        }
      })(),
    );
  });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  socket.pause();
  let before = -1;
  while (before !== producedBytes) {
    before = producedBytes;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(producedBytes < 16 << 20, `${producedBytes} bytes were produced for a client that reads none`);
  socket.destroy();
  await settled(() => ended && summaries.length === 1);
  assert.ok(signal?.aborted);
  assert.equal(summaries[0]?.complete, false);
});

test('a client that goes away while it sends ends the wait for its body', async (t) => {
  let failure: unknown;
  const { port } = await serve(t, async ({ body }) => {
    try {
      await drain(body);
    } catch (error) {
      failure = error;
    }
    return answer(undefined);
  });
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc', () => socket.destroy());
  await settled(() => failure !== undefined);
  assert.equal((failure as GitError).code, 'ABORTED');
});

test('a client that says nothing for too long is cut', async (t) => {
  let failure: unknown;
  const { port } = await serve(
    t,
    async ({ body }) => {
      failure = await drain(body).catch((error: unknown) => error);
      return answer(undefined, 503);
    },
    { idleTimeoutMs: 50 },
  );
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc');
  await settled(() => failure !== undefined);
  assert.equal((failure as GitError).code, 'ABORTED');
  assert.equal((failure as GitError).detail.idleTimeoutMs, 50);
  socket.destroy();
});

for (const path of ['/a/git-upload-pack', '/a/git-receive-pack', '/a/git-upload-pack?/git-receive-pack']) {
  test(`a client that trickles to ${path} is cut`, async (t) => {
    let failure: unknown;
    const { port } = await serve(
      t,
      async ({ body }) => {
        failure = await drain(body).catch((error: unknown) => error);
        return answer(undefined, 503);
      },
      { bodyFloor: { bytes: 100, windowMs: 60 } },
    );
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n`);
    const timer = setInterval(() => socket.write('a'), 20);
    t.after(() => clearInterval(timer));
    await settled(() => failure !== undefined);
    assert.equal((failure as GitError).code, 'ABORTED');
    assert.equal((failure as GitError).detail.windowMs, 60);
    socket.destroy();
  });
}

test('a push may pause before its pack, and not within it', async (t) => {
  const failures: unknown[] = [];
  let receivedBytes = 0;
  const { port } = await serve(
    t,
    async ({ body }) => {
      try {
        for await (const chunk of body) receivedBytes += chunk.length;
      } catch (error) {
        failures.push(error);
      }
      return answer(undefined, 503);
    },
    { bodyFloor: { bytes: 100, windowMs: 60 } },
  );
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('POST /a/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n0006ab0000');
  await settled(() => receivedBytes === 10);
  await new Promise((resolve) => setTimeout(resolve, 150));
  socket.write('PACK');
  await settled(() => receivedBytes === 14);
  assert.equal(failures.length, 0);
  const timer = setInterval(() => socket.write('a'), 20);
  t.after(() => clearInterval(timer));
  await settled(() => failures.length > 0);
  assert.equal((failures[0] as GitError).code, 'ABORTED');
  socket.destroy();
});

test('the signal of a server that stops ends what runs', async (t) => {
  const stop = new AbortController();
  let ended = false;
  const { url } = await serve(t, async () => answer(forever(() => (ended = true))), { signal: stop.signal });
  const response = await fetch(url);
  stop.abort(new GitError('ABORTED', 'the server is shutting down'));
  await assert.rejects(response.text());
  await settled(() => ended);
});

for (const [what, reads] of [
  ['sent before a body that is wanted', true],
  ['withheld when the answer needs no body', false],
] as const) {
  test(`100 Continue is ${what}`, async (t) => {
    const { port } = await serve(t, async ({ body }) => {
      if (!reads) return answer(encodeText('no'), 401);
      return answer(encodeText(String((await drain(body)).length)));
    });
    const client = httpRequest({
      port,
      method: 'POST',
      headers: { expect: '100-continue', 'content-length': 5 },
    });
    let continued = false;
    client.on('continue', () => {
      continued = true;
      client.end('hello');
    });
    client.flushHeaders();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    assert.equal(continued, reads);
    assert.equal(response.statusCode, reads ? 200 : 401);
    const text = Buffer.from(await drain(response as ByteStream)).toString();
    assert.equal(text, reads ? '5' : 'no');
    client.destroy();
  });
}

for (const [target, status] of [
  ['//evil.example/x', 200],
  ['http://other.example/x', 200],
  ['*', 400],
  ['/a b', 400],
] as const) {
  test(`a request for the target ${target} is answered ${status}`, async (t) => {
    const { port } = await serve(t, async ({ request }) => answer(encodeText(request.url)));
    const socket = connect(port, '127.0.0.1');
    socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const text = Buffer.from(await drain(socket as ByteStream)).toString();
    assert.match(text, new RegExp(`^HTTP/1.1 ${status} `));
  });
}
