/** What SSH clients do that OpenSSH cannot be made to do, and how long they may. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type ssh2 from 'ssh2';
import { createRepositoryDirectory } from '../../../../src/repository/node/repository-directory.ts';
import { loadHostKeys } from '../../../../src/transport/node/ssh/host-keys.ts';
import type {
  SshEvent,
  SshLimits,
  SshServerOptions,
} from '../../../../src/transport/node/ssh/ssh-options.ts';
import { createSshServer } from '../../../../src/transport/node/ssh/ssh-server.ts';
import { gitOverSsh } from '../../../../src/transport/ssh/git-over-ssh.ts';
import { git, scratchDirectory } from '../../../support/git.ts';
import { readAnswer } from '../../../support/push-client.ts';
import { connectSsh } from '../../../support/ssh-client.ts';
import { leftOvers } from '../../../trials/support/left-overs.ts';
import { makeCommit, NO_ID, pushBody } from '../../../trials/support/small-pushes.ts';

/** What of ssh2's client breaks rules, or need not keep them. */
interface Protocol {
  channelWindowAdjust(channel: number, bytes: number): void;
  channelClose(channel: number): void;
  channelData(channel: number, data: Buffer): void;
  session(channel: number, windowBytes: number, packetBytes: number): void;
}

interface Scene {
  readonly server: ReturnType<typeof createSshServer>;
  readonly client: ssh2.Client;
  readonly protocol: Protocol;
  readonly events: SshEvent[];
  readonly root: string;
  exec(command: string): Promise<ssh2.ClientChannel>;
  /** The first command that has ended. */
  ended(): Promise<Extract<SshEvent, { kind: 'command' }>>;
}

async function scene(
  t: TestContext,
  limits: Partial<SshLimits>,
  options: Partial<SshServerOptions> = {},
): Promise<Scene> {
  const directory = await scratchDirectory(t);
  const root = join(directory, 'root');
  mkdirSync(root);
  git(root, 'init', '-q', '--bare', 'app.git');
  const repositories = createRepositoryDirectory(root);
  const events: SshEvent[] = [];
  const [key] = await loadHostKeys(join(directory, 'host'));
  const server = createSshServer({
    hostKeys: [key?.privateKey ?? ''],
    authenticator: { key: async () => 'somebody', password: async () => 'somebody' },
    serve: gitOverSsh({ repositories: (name, { intent }) => repositories.resolve(name, intent) }),
    onEvent: (event) => events.push(event),
    limits,
    ...options,
  });
  const port = await server.listen('127.0.0.1', 0);
  t.after(() => server.drain(0));
  const client = await connectSsh(t, port);
  return {
    server,
    client,
    protocol: (client as unknown as { readonly _protocol: Protocol })._protocol,
    events,
    root,
    exec: (command) =>
      new Promise((resolve, reject) => {
        client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
      }),
    async ended() {
      for (;;) {
        const event = events.find((one) => one.kind === 'command');
        if (event !== undefined) return event;
        await sleep(5);
      }
    },
  };
}

/** All that is told on a channel until it closes. */
function listen(channel: ssh2.ClientChannel) {
  const parts: Buffer[] = [];
  let [words, status] = ['', -1];
  channel.on('data', (chunk: Buffer) => parts.push(chunk));
  channel.stderr.on('data', (chunk) => (words += String(chunk)));
  channel.on('exit', (code) => (status = code));
  const closed = new Promise<void>((resolve) => channel.on('close', () => resolve()));
  return { closed, all: () => ({ output: Buffer.concat(parts), words, status }) };
}

const advertised = (channel: ssh2.ClientChannel) => once(channel, 'data');

const NEW = makeCommit(undefined, Buffer.from('new'));
const UPDATES = [{ ref: 'refs/heads/new', oldId: NO_ID, newId: NEW.id }];

test('a push may pause before its commands and before its pack', async (t) => {
  const { exec, root } = await scene(t, { idleTimeoutMs: 200, pushPauseMs: 20_000 });
  const channel = await exec("git-receive-pack '/app.git'");
  const heard = listen(channel);
  await advertised(channel);
  await sleep(400);
  channel.write(pushBody(UPDATES));
  await sleep(400);
  channel.end(NEW.pack);
  await heard.closed;
  assert.deepEqual([heard.all().words, heard.all().status], ['', 0]);
  assert.equal(git(join(root, 'app.git'), 'rev-parse', 'new').trim(), NEW.id);
});

test('but not for ever', async (t) => {
  const { exec, ended } = await scene(t, { idleTimeoutMs: 200, pushPauseMs: 400 });
  const channel = await exec("git-receive-pack '/app.git'");
  const heard = listen(channel);
  channel.write(pushBody(UPDATES));
  assert.equal((await ended()).exitCode, 128);
  await heard.closed;
  assert.match(heard.all().words, /^fatal: Stopped: the client did not send anything for 0\.4 s$/m);
});

for (const [what, floor, limits, words] of [
  [
    'trickles',
    { bytes: 1000, windowMs: 60 },
    { idleTimeoutMs: 20_000 },
    /sent \d+ bytes in 0\.06 s, less than 1000/,
  ],
  ['stops', undefined, { idleTimeoutMs: 200, pushPauseMs: 20_000 }, /did not send anything for 0\.2 s/],
] as const) {
  test(`a pack that ${what} is cut in words, and nothing of it stays`, async (t) => {
    const { exec, root, ended } = await scene(t, limits, { floor });
    const channel = await exec("git-receive-pack '/app.git'");
    const heard = listen(channel);
    await advertised(channel);
    const advertisedBytes = heard.all().output.length;
    channel.write(pushBody(UPDATES, NEW.pack.subarray(0, 20)));
    let at = 20;
    const trickle = setInterval(() => channel.write(NEW.pack.subarray(at, ++at)), 10);
    t.after(() => clearInterval(trickle));
    if (what === 'stops') clearInterval(trickle);
    assert.equal((await ended()).exitCode, 128);
    await heard.closed;
    const { output, words: stderr, status } = heard.all();
    assert.match(stderr, words);
    assert.equal(status, 128);
    assert.match(readAnswer(output.subarray(advertisedBytes), true).fatal, words);
    assert.deepEqual(leftOvers(root), []);
  });
}

test('wants that trickle are cut in words', async (t) => {
  const { exec, root, ended } = await scene(t, {}, { floor: { bytes: 1000, windowMs: 60 } });
  const work = `${root}/../work`;
  git('/', 'init', '-q', '-b', 'main', work);
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  git(work, 'push', '-q', `${root}/app.git`, 'main');
  const channel = await exec("git-upload-pack '/app.git'");
  const heard = listen(channel);
  await advertised(channel);
  channel.write('0032');
  const trickle = setInterval(() => channel.write('w'), 10);
  t.after(() => clearInterval(trickle));
  assert.equal((await ended()).exitCode, 128);
  await heard.closed;
  assert.match(heard.all().output.toString(), /ERR Stopped: the client sent \d+ bytes in 0\.06 s/);
});

/** More than any client's window, until somebody stops it. */
async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield new Uint8Array(64 * 1024);
}

test('a client that takes a little at a time is slow, one that takes a byte is silent', async (t) => {
  const { exec, ended, protocol, events } = await scene(t, { idleTimeoutMs: 400 }, { serve: endless });
  const channel = await exec("git-upload-pack 'a'"); // which is never read: ssh2 asks for no more
  const { id } = (channel as unknown as { readonly outgoing: { readonly id: number } }).outgoing;
  for (let i = 0; i < 40; i++) {
    await sleep(25);
    protocol.channelWindowAdjust(id, 1000);
  }
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['login'],
  );
  const trickle = setInterval(() => protocol.channelWindowAdjust(id, 1), 25);
  t.after(() => clearInterval(trickle));
  assert.equal((await ended()).exitCode, 128);
});

test('a client whose socket takes nothing is cut, and its connection with it', async (t) => {
  const { server, exec, ended, protocol, client } = await scene(
    t,
    { idleTimeoutMs: 150 },
    { serve: endless },
  );
  const channel = await exec("git-upload-pack 'a'");
  const { id } = (channel as unknown as { readonly outgoing: { readonly id: number } }).outgoing;
  protocol.channelWindowAdjust(id, 2 ** 31);
  (client as unknown as { readonly _sock: NodeJS.ReadableStream })._sock.pause();
  assert.equal((await ended()).exitCode, 128);
  while (server.connectionCount > 0) await sleep(20);
});

test('a command ends when its channel is closed', async (t) => {
  const { exec, ended, protocol } = await scene(t, {}, { serve: endless });
  const channel = await exec("git-upload-pack 'a'");
  const { id } = (channel as unknown as { readonly outgoing: { readonly id: number } }).outgoing;
  protocol.channelClose(id);
  assert.equal((await ended()).exitCode, 128);
});

for (const packetBytes of [0, 1, 1023]) {
  test(`a client that takes packets of ${packetBytes} bytes at most is cut`, async (t) => {
    const { server, protocol } = await scene(t, {}, { serve: endless });
    protocol.session(7, 2 ** 31, packetBytes);
    while (server.connectionCount > 0) await sleep(5);
  });
}

test('a session that runs nothing does not keep its connection', async (t) => {
  const { server, protocol } = await scene(t, { idleTimeoutMs: 50 });
  protocol.session(7, 1024, 1024);
  while (server.connectionCount > 0) await sleep(5);
});

test('to close a session twice does not make room for two', async (t) => {
  const { client, protocol, exec } = await scene(t, { maxSessions: 1 }, { serve: endless });
  protocol.session(7, 1024, 1024);
  for (let i = 0; i < 3; i++) protocol.channelClose(0);
  await exec("git-upload-pack 'a'");
  await assert.rejects(exec("git-upload-pack 'a'"), /open failure/);
  client.end();
});

test('sessions that run nothing are not opened for ever', async (t) => {
  const { server, protocol } = await scene(t, {});
  for (let id = 0; id < 200; id++) {
    protocol.session(id, 1024, 1024);
    protocol.channelClose(id);
  }
  while (server.connectionCount > 0) await sleep(5);
});

test('what is sent to a shell is dropped', async (t) => {
  const { client, server, protocol } = await scene(t, {});
  const closed = new Promise<void>((resolve, reject) => {
    client.shell(false, (error, channel) => {
      if (error) return reject(error);
      channel.on('close', () => resolve()).resume();
      for (let i = 0; i < 200; i++) protocol.channelData(0, Buffer.alloc(32_000));
    });
  });
  await closed;
  assert.equal(server.connectionCount, 1);
});
