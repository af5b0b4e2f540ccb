import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { encodeText } from '../../../src/core/bytes.ts';
import { createRepositoryDirectory } from '../../../src/repository/node/repository-directory.ts';
import { trustedNetworks } from '../../../src/server/doors/trusted-networks.ts';
import { type HttpServerOptions, listenHttp } from '../../../src/server/http-server.ts';
import { createGitServer } from '../../../src/transport/http/git-server.ts';
import type { GitServer, HttpClient } from '../../../src/transport/http/options.ts';
import {
  newAuthority,
  newCertificate,
  newServerCertificate,
  OPENSSL_MISSING,
  openssl,
} from '../../support/certificates.ts';
import { git, gitAsync, scratchDirectory } from '../../support/git.ts';

const needs = { skip: OPENSSL_MISSING };

/** An authority, a server of its, and what the server hears of its clients. */
async function scene(t: TestContext, options: Partial<HttpServerOptions> = {}, served?: GitServer) {
  const directory = await scratchDirectory(t);
  const authority = newAuthority(directory, 'authority');
  const own = newServerCertificate(directory, authority, 'server');
  const clients: HttpClient[] = [];
  const echo: GitServer = {
    handle: () => Promise.reject(new Error('not used')),
    exchange: async ({ client, request }) => {
      clients.push({ ...client });
      return { status: 200, headers: new Headers(), body: encodeText(request.url) };
    },
  };
  const server = await listenHttp(served ?? echo, {
    host: '127.0.0.1',
    port: 0,
    ...options,
    tls: { ...own, clientAuthorities: authority.certificate },
  });
  t.after(() => server.drain(0));
  const ask = async (more: RequestOptions = {}): Promise<string> => {
    const asked = request({
      port: server.port,
      host: '127.0.0.1',
      ca: authority.certificate,
      agent: false,
      ...more,
    });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return text;
  };
  return { directory, authority, own, clients, server, ask };
}

test('git clones and pushes over TLS', needs, async (t) => {
  const directory = await scratchDirectory(t);
  const [root, work] = [join(directory, 'root'), join(directory, 'work')];
  mkdirSync(root);
  git('/', 'init', '-q', '-b', 'main', work);
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  git('/', 'clone', '-q', '--bare', work, join(root, 'app.git'));
  const names: unknown[] = [];
  const served = createGitServer({
    repositories: createRepositoryDirectory(root),
    authorize: async ({ client }) => {
      names.push(client?.certificate?.subject);
      return { allow: true };
    },
  });
  const { authority, server, directory: keys } = await scene(t, {}, served);
  const alice = newCertificate(keys, authority, 'alice');
  const url = `${server.url}/app.git`;
  const trusting = { GIT_SSL_CAINFO: authority.certificatePath };
  const cloned = await gitAsync({ cwd: directory, env: trusting }, 'clone', '-q', url, 'clone');
  assert.deepEqual(cloned, { status: 0, stdout: '', stderr: '' });
  assert.deepEqual(new Set(names.splice(0)), new Set([undefined]));
  writeFileSync(join(work, 'big'), 'x'.repeat(3_000_000));
  git(work, 'add', '.');
  git(work, 'commit', '-qm', 'two');
  const proving = { ...trusting, GIT_SSL_CERT: alice.certificatePath, GIT_SSL_KEY: alice.keyPath };
  const pushed = await gitAsync({ cwd: work, env: proving }, 'push', '-q', url, 'main');
  assert.deepEqual(pushed, { status: 0, stdout: '', stderr: '' });
  assert.deepEqual(new Set(names), new Set(['CN=alice']));
  git(join(root, 'app.git'), 'fsck', '--strict');
  const distrusting = await gitAsync({ cwd: directory, env: {} }, 'ls-remote', url);
  assert.match(distrusting.stderr, /certificate/);
});

test('a client is known by its certificate: the whole name, and the fingerprint', needs, async (t) => {
  const { directory, authority, clients, ask } = await scene(t);
  const subject = '/C=DE/O=Acme, "Tools" <Co>;/OU=#1 back\\\\slash \\+ x=y/CN= alice+UID=7';
  const { certificate, certificatePath, key } = newCertificate(directory, authority, 'alice', { subject });
  assert.match(await ask({ cert: certificate, key }), /^https:\/\/127\.0\.0\.1:\d+\/$/);
  const x509 = (...args: string[]): string =>
    openssl(directory, 'x509', '-noout', '-in', certificatePath, ...args);
  const printed = x509('-subject', '-nameopt', 'RFC2253,-esc_msb,utf8').trim();
  const fingerprint = x509('-fingerprint', '-sha256').trim().split('=')[1]?.replace(/:/g, '').toLowerCase();
  assert.deepEqual(clients[0], {
    address: '127.0.0.1',
    certificate: { subject: printed.replace(/^subject=\s*/, ''), fingerprint },
  });
});

test('a session that is taken up again is still of the one who proved it', needs, async (t) => {
  const { directory, authority, clients, ask } = await scene(t);
  const { certificate, key } = newCertificate(directory, authority, 'alice');
  const agent = new Agent({ keepAlive: false, maxCachedSessions: 10 });
  const reused: boolean[] = [];
  const createConnection = agent.createConnection.bind(agent);
  agent.createConnection = (...args: Parameters<typeof createConnection>) => {
    const socket = createConnection(...args) as TLSSocket;
    return socket.once('secureConnect', () => reused.push(socket.isSessionReused()));
  };
  for (let i = 0; i < 3; i++) await ask({ agent, cert: certificate, key });
  assert.deepEqual(reused, [false, true, true]);
  assert.deepEqual(new Set(clients.map(({ certificate }) => certificate?.subject)), new Set(['CN=alice']));
});

test('no certificate, one of another authority, or one for servers: nobody', needs, async (t) => {
  const { directory, authority, clients, ask } = await scene(t);
  const stranger = newCertificate(directory, newAuthority(directory, 'other'), 'stranger');
  const forServers = newCertificate(directory, authority, 'machine', {
    extensions: 'extendedKeyUsage=serverAuth',
  });
  const forClients = newCertificate(directory, authority, 'user', {
    extensions: 'extendedKeyUsage=clientAuth',
  });
  await ask();
  for (const { certificate, key } of [stranger, forServers, forClients])
    await ask({ cert: certificate, key });
  assert.deepEqual(
    clients.map(({ certificate }) => certificate?.subject),
    [undefined, undefined, undefined, 'CN=user'],
  );
});

async function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

test('nothing older than TLS 1.2, no weak cipher, HTTP/1.1 alone', needs, async (t) => {
  const { server } = await scene(t);
  const modern = await handshake(server.port, { ALPNProtocols: ['h2', 'http/1.1'] });
  assert.deepEqual([modern.getProtocol(), modern.alpnProtocol], ['TLSv1.3', 'http/1.1']);
  modern.destroy();
  const older = await handshake(server.port, { maxVersion: 'TLSv1.2' });
  assert.match(older.getCipher().standardName, /^TLS_ECDHE_ECDSA_WITH_(AES_\d+_GCM|CHACHA20_POLY1305)/);
  older.destroy();
  for (const options of [
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' },
    { ALPNProtocols: ['h2'] },
  ] as const) {
    await assert.rejects(handshake(server.port, options as ConnectionOptions));
  }
});

test('a handshake that does not come is cut', needs, async (t) => {
  const { server } = await scene(t, { limits: { handshakeTimeoutMs: 200 } });
  const silent = connect(server.port, '127.0.0.1').resume();
  await once(silent, 'close');
  const { server: patient } = await scene(t);
  const waiting = connect(patient.port, '127.0.0.1').resume();
  await once(waiting, 'connect');
  while (patient.connectionCount === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await patient.drain(0), 0);
  while (patient.connectionCount > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test('a new certificate counts for new connections, and cuts none', needs, async (t) => {
  const { directory, authority, own, server, ask, clients } = await scene(t);
  const next = newServerCertificate(directory, authority, 'next');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const ports: unknown[] = [];
  agent.on('free', ({ localPort }: TLSSocket) => ports.push(localPort));
  const shown = async (): Promise<string | undefined> => {
    const fresh = await handshake(server.port, {});
    const { serialNumber } = fresh.getPeerX509Certificate() ?? {};
    fresh.destroy();
    return serialNumber;
  };
  const before = await shown();
  await ask({ agent });
  server.reload({ tls: { ...next, clientAuthorities: authority.certificate } });
  await ask({ agent });
  assert.equal(ports.length, 2);
  assert.equal(ports[0], ports[1]);
  assert.notEqual(await shown(), before);
  const alice = newCertificate(directory, authority, 'alice');
  const prove = { cert: alice.certificate, key: alice.key };
  await ask(prove);
  server.reload({ tls: own }); // no authorities any more: nobody is known by a certificate
  await ask(prove);
  assert.deepEqual(
    clients.map(({ certificate }) => certificate?.subject),
    [undefined, undefined, 'CN=alice', undefined],
  );
  for (const tls of [
    { certificate: next.certificate, key: own.key },
    { certificate: 'x', key: own.key },
  ]) {
    assert.throws(
      () => server.reload({ tls }),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'INVALID_ARGUMENT');
        assert.doesNotMatch(error.message, /PRIVATE|BEGIN/);
        return true;
      },
    );
  }
  assert.throws(() => server.reload({}), { code: 'INVALID_ARGUMENT' });
  await ask();
});

test('a PROXY header before the handshake', needs, async (t) => {
  const proxies = { isTrusted: trustedNetworks(['127.0.0.1']) };
  const { server, clients, authority } = await scene(t, { trustedProxy: proxies, proxyProtocol: true });
  const raw = connect(server.port, '127.0.0.1');
  raw.write('PROXY TCP6 2001:db8::7 ::1 5 443\r\n');
  const socket = connectTls({ socket: raw, ca: authority.certificate, host: 'localhost' });
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.equal(clients[0]?.address, '2001:db8::7');
});
