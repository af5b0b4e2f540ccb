import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { encodeText } from '../../../src/core/bytes.ts';
import type { ServerHealth } from '../../../src/server/doors/health.ts';
import { listenHealth } from '../../../src/server/doors/health-server.ts';
import { trustedNetworks } from '../../../src/server/doors/trusted-networks.ts';
import { type HttpServerOptions, listenHttp } from '../../../src/server/http-server.ts';
import type { HttpClient, HttpExchange } from '../../../src/transport/http/options.ts';
import type { RequestSummary } from '../../../src/transport/node/http-listener.ts';
import { drain } from '../../support/streams.ts';

interface DoorOptions extends Partial<HttpServerOptions> {
  readonly onExchange?: () => void;
}

async function door(t: TestContext, { onExchange, ...options }: DoorOptions = {}) {
  const clients: HttpClient[] = [];
  const heads: Record<string, string | null>[] = [];
  const summaries: RequestSummary[] = [];
  const exchange = async ({ client, head, request, body }: HttpExchange) => {
    clients.push({ ...client });
    onExchange?.();
    heads.push(Object.fromEntries(LOOKED_AT.map((name) => [name, head?.header(name) ?? null])));
    for (const name of LOOKED_AT) assert.equal(request.headers.get(name), head?.header(name) ?? null);
    await drain(body);
    return { status: 200, headers: new Headers(), body: encodeText('ok') };
  };
  const server = await listenHttp(
    { exchange, handle: () => Promise.reject(new Error('not used')) },
    { host: '127.0.0.1', port: 0, onFinish: (summary) => summaries.push(summary), ...options },
  );
  t.after(() => server.drain(0));
  return { server, clients, heads, summaries };
}

const LOOKED_AT = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-remote-user'];
const LOCAL = trustedNetworks(['127.0.0.0/8']);
const CLAIMS = {
  'x-forwarded-for': '198.51.100.1, 203.0.113.7',
  forwarded: 'for=198.51.100.2',
  'x-real-ip': '198.51.100.3',
  'x-remote-user': 'alice',
};

const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** Everything a connection is sent, until it is closed. */
async function said(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk))).on('error', () => undefined);
  if (!socket.destroyed) await once(socket, 'close');
  return text;
}

test('whatever a stranger says of itself is neither believed nor passed on', async (t) => {
  const trustedProxy = { isTrusted: trustedNetworks(['10.0.0.0/8']), userHeader: 'x-remote-user' };
  const { server, clients, heads } = await door(t, { trustedProxy });
  await fetch(server.url, { headers: CLAIMS });
  assert.deepEqual(clients, [{ address: '127.0.0.1', certificate: undefined }]);
  assert.deepEqual(heads, [Object.fromEntries(LOOKED_AT.map((name) => [name, null]))]);
});

test('without proxies nobody is believed', async (t) => {
  const { server, clients, heads } = await door(t);
  await fetch(server.url, { headers: CLAIMS });
  assert.equal(clients[0]?.address, '127.0.0.1');
  assert.equal(heads[0]?.['x-forwarded-for'], null);
});

test('a trusted proxy says who its client is, and who the user', async (t) => {
  const { server, clients, heads } = await door(t, {
    trustedProxy: { isTrusted: LOCAL, userHeader: 'x-remote-user' },
  });
  await fetch(server.url, { headers: CLAIMS });
  assert.deepEqual(clients[0], { address: '203.0.113.7', certificate: undefined, proxyUser: 'alice' });
  assert.equal(heads[0]?.forwarded, null, 'what it does not write may be the client’s');
  await fetch(server.url, { headers: { 'x-forwarded-for': 'unknown', 'x-remote-user': '' } });
  assert.deepEqual(clients[1], { address: '127.0.0.1', certificate: undefined, proxyUser: undefined });
});

test('a proxy may write Forwarded, and then only that counts', async (t) => {
  const trustedProxy = { isTrusted: LOCAL, forwardedHeader: 'forwarded' } as const;
  const { server, clients } = await door(t, { trustedProxy });
  await fetch(server.url, { headers: CLAIMS });
  assert.deepEqual(clients[0], { address: '198.51.100.2', certificate: undefined, proxyUser: undefined });
});

test('a header of many lines is one', async (t) => {
  const { server, clients } = await door(t, {
    trustedProxy: { isTrusted: LOCAL, userHeader: 'x-remote-user' },
  });
  const socket = connect(server.port, '127.0.0.1');
  const many = Array.from({ length: 3000 }, () => 'a:b\r\n').join('');
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.1\r\nX-Remote-User: eve\r\n${many}`);
  socket.write('X-Forwarded-For: 203.0.113.7\r\nX-Remote-User: alice\r\nConnection: close\r\n\r\n');
  assert.match(await said(socket), /^HTTP\/1\.1 200 /);
  assert.deepEqual(clients[0], { address: '203.0.113.7', certificate: undefined, proxyUser: 'eve, alice' });
});

for (const [what, pieces] of [
  ['in one piece with the request', 1],
  ['byte by byte', 1000],
] as const) {
  test(`a PROXY header, ${what}`, async (t) => {
    const { server, clients } = await door(t, { trustedProxy: { isTrusted: LOCAL }, proxyProtocol: true });
    const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
    const text =
      'PROXY TCP4 203.0.113.7 10.0.0.1 5 80\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const step = Math.ceil(text.length / pieces);
    for (let at = 0; at < text.length; at += step) {
      socket.write(text.slice(at, at + step));
      if (pieces > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(await said(socket), /^HTTP\/1\.1 200 [\s\S]*ok$/);
    assert.deepEqual(clients[0], { address: '203.0.113.7', certificate: undefined });
  });
}

test('who came through a PROXY header is a stranger to the headers of HTTP', async (t) => {
  const { server, clients } = await door(t, { trustedProxy: { isTrusted: LOCAL }, proxyProtocol: true });
  const socket = connect(server.port, '127.0.0.1');
  socket.write('PROXY TCP4 203.0.113.7 10.0.0.1 5 80\r\nGET / HTTP/1.1\r\nHost: x\r\n');
  socket.write('X-Forwarded-For: 198.51.100.1\r\nConnection: close\r\n\r\n');
  await said(socket);
  assert.equal(clients[0]?.address, '203.0.113.7');
});

for (const header of [
  'PROXY UNKNOWN\r\n',
  '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', // version 2, of the proxy itself
]) {
  test(`nobody speaks for the client of ${JSON.stringify(header)}`, async (t) => {
    const trustedProxy = { isTrusted: LOCAL, userHeader: 'x-remote-user' };
    const { server, clients, heads } = await door(t, { trustedProxy, proxyProtocol: true });
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`${header}GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.1\r\n`);
    socket.write('X-Remote-User: alice\r\nConnection: close\r\n\r\n');
    assert.match(await said(socket), /^HTTP\/1\.1 200 /);
    assert.deepEqual(clients, [{ address: undefined, certificate: undefined }]);
    assert.equal(heads[0]?.['x-remote-user'], null);
  });
}

test('a trusted proxy without its header, or too late with it, is cut', async (t) => {
  const { server, clients } = await door(t, {
    trustedProxy: { isTrusted: LOCAL },
    proxyProtocol: true,
    limits: { headTimeoutMs: 200 },
  });
  const plain = connect(server.port, '127.0.0.1');
  plain.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal(await said(plain), '');
  assert.equal(await said(connect(server.port, '127.0.0.1')), '');
  assert.deepEqual(clients, []);
  await until(() => server.connectionCount === 0);
});

test('connections of one address have a limit, those of trusted proxies have not', async (t) => {
  const limits = { maxConnectionsPerAddress: 2 };
  const { server } = await door(t, { limits });
  const first = [connect(server.port, '127.0.0.1'), connect(server.port, '127.0.0.1')];
  await until(() => server.connectionCount === 2);
  assert.equal(await said(connect(server.port, '127.0.0.1')), '');
  first[0]?.destroy();
  await until(() => server.connectionCount === 1);
  assert.equal((await fetch(server.url, { headers: { connection: 'close' } })).status, 200);

  const { server: other } = await door(t, { limits, trustedProxy: { isTrusted: LOCAL } });
  const many = Array.from({ length: 5 }, () => connect(other.port, '127.0.0.1'));
  await until(() => other.connectionCount === 5);
  for (const socket of [...first, ...many]) socket.destroy();
});

test('clients behind one PROXY are counted each for itself', async (t) => {
  const { server } = await door(t, {
    trustedProxy: { isTrusted: LOCAL },
    proxyProtocol: true,
    limits: { maxConnectionsPerAddress: 1 },
  });
  const by = (address: string): Socket => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`PROXY TCP4 ${address} 10.0.0.1 5 80\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n`);
    return socket;
  };
  const open = [by('203.0.113.7'), by('203.0.113.8')];
  await Promise.all(open.map((socket) => once(socket, 'data')));
  assert.equal(await said(by('203.0.113.7')), '');
  for (const socket of open) socket.destroy();
});

test('all connections together have a limit', async (t) => {
  const { server } = await door(t, { limits: { maxConnections: 3 }, trustedProxy: { isTrusted: LOCAL } });
  const open = [1, 2, 3].map(() => connect(server.port, '127.0.0.1'));
  await until(() => server.connectionCount === 3);
  assert.equal(await said(connect(server.port, '127.0.0.1')), '');
  server.reload({ limits: { maxConnections: 4 } });
  assert.equal((await fetch(server.url, { headers: { connection: 'close' } })).status, 200);
  for (const socket of open) socket.destroy();
});

for (const [what, begin] of [
  ['that trickles', 'GET / HTTP/1.1\r\nHost: x\r\nA: '],
  ['that never begins', ''],
] as const) {
  test(`a head ${what} is cut`, async (t) => {
    const { server, clients } = await door(t, { limits: { headTimeoutMs: 200 } });
    const socket = connect(server.port, '127.0.0.1');
    socket.write(begin);
    const timer = setInterval(() => begin !== '' && socket.write('a'), 20);
    t.after(() => clearInterval(timer));
    const answer = await said(socket);
    assert.match(answer, /^(?:HTTP\/1\.1 408 [\s\S]*)?$/);
    assert.deepEqual(clients, []);
  });
}

test('a head beyond its size is refused', async (t) => {
  const { server, clients } = await door(t, { limits: { maxHeadBytes: 2000 } });
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(3000)}\r\n\r\n`);
  assert.match(await said(socket), /^HTTP\/1\.1 431 /);
  assert.deepEqual(clients, []);
});

test('what changes on reload holds for connections that are open', async (t) => {
  const { server, clients } = await door(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const ask = async (): Promise<boolean> => {
    const asked = httpRequest({ port: server.port, agent, headers: { 'x-forwarded-for': '203.0.113.7' } });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    return asked.reusedSocket;
  };
  assert.equal(await ask(), false);
  server.reload({ trustedProxy: { isTrusted: LOCAL } });
  assert.equal(await ask(), true);
  assert.deepEqual(
    clients.map(({ address }) => address),
    ['127.0.0.1', '203.0.113.7'],
  );
  assert.throws(() => server.reload({ tls: { certificate: '', key: '' } }), { code: 'INVALID_ARGUMENT' });
});

const WELL: ServerHealth = { draining: false, overloaded: [], disk: 'ok' };

test('health is answered without the application, and leaves no trace', async (t) => {
  let health: ServerHealth = WELL;
  const { server, clients, summaries } = await door(t, { health: () => health });
  const ready = async () => {
    const response = await fetch(`${server.url}/-/ready?verbose`);
    return [response.status, await response.json()];
  };
  const live = await fetch(`${server.url}/-/live`);
  assert.deepEqual([live.status, await live.json()], [200, { live: true }]);
  assert.deepEqual(await ready(), [200, { ready: true, ...WELL }]);
  for (const trouble of [{ draining: true }, { overloaded: ['clone'] }]) {
    health = { ...WELL, ...trouble };
    assert.deepEqual(await ready(), [503, { ready: false, ...health }]);
  }
  health = { ...WELL, disk: 'low' }; // reads go on
  assert.deepEqual(await ready(), [200, { ready: true, ...health }]);
  assert.equal((await fetch(`${server.url}/-/live`, { method: 'HEAD' })).status, 200);
  const wrong = await fetch(`${server.url}/-/live`, { method: 'POST', body: 'x' });
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, HEAD']);
  assert.deepEqual([clients, summaries, server.runningCount], [[], [], 0]);
  assert.equal((await fetch(`${server.url}/-/other`)).status, 200);
  assert.equal(clients.length, 1);
});

/** A door whose work takes a while, and thirty clients that ask for some at once. */
async function crowded(t: TestContext) {
  const onExchange = (): void => {
    const until = performance.now() + 10;
    while (performance.now() < until);
  };
  const opened = await door(t, { onExchange, health: () => WELL });
  const crowd = Array.from({ length: 30 }, () => {
    const socket = connect(opened.server.port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET /app/info/refs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    return socket;
  });
  return { ...opened, crowd };
}

test('health is answered before the work for a crowd that came earlier', async (t) => {
  const { server, clients, crowd } = await crowded(t);
  const answered = crowd.map(said);
  assert.equal((await fetch(`${server.url}/-/live`)).status, 200);
  assert.ok(clients.length < crowd.length / 2, `${clients.length} went first`);
  for (const text of await Promise.all(answered)) assert.match(text, /^HTTP\/1\.1 200 /);
});

test('for those of a crowd who leave before their turn no work begins', async (t) => {
  const { server, clients, summaries, crowd } = await crowded(t);
  await fetch(`${server.url}/-/live`);
  for (const socket of crowd) socket.resetAndDestroy();
  await until(() => server.connectionCount === 0 && server.runningCount === 0);
  assert.ok(clients.length < crowd.length / 2, `work for ${clients.length} began`);
  assert.ok(summaries.some(({ complete, status }) => !complete && status === 0));
  assert.equal((await fetch(`${server.url}/app/info/refs`)).status, 200);
});

test('a port of its own answers about health and nothing else', async (t) => {
  const server = await listenHealth({ host: '127.0.0.1', port: 0 }, () => WELL);
  t.after(() => server.close());
  assert.equal((await fetch(`${server.url}/-/ready`)).status, 200);
  assert.equal((await fetch(`${server.url}/app/info/refs`)).status, 404);
  await assert.rejects(
    listenHealth({ host: '127.0.0.1', port: server.port }, () => WELL),
    {
      code: 'INVALID_ARGUMENT',
    },
  );
});
