/** How long git:// waits, for what clients send and for what they do not read. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { encodePacket } from '../../../src/protocol/pkt-line.ts';
import { createRepositoryDirectory } from '../../../src/repository/node/repository-directory.ts';
import { serveDaemonConnection } from '../../../src/transport/git-daemon/serve-connection.ts';
import { end } from '../../../src/transport/node/byte-streams.ts';
import {
  type DaemonListenerOptions,
  listenGitDaemon,
} from '../../../src/transport/node/git-daemon-listener.ts';
import { git, scratchDirectory } from '../../support/git.ts';
import { readAnswer } from '../../support/push-client.ts';
import { leftOvers } from '../../trials/support/left-overs.ts';
import { makeCommit, NO_ID, pushBody } from '../../trials/support/small-pushes.ts';

async function scene(t: TestContext, options: Partial<DaemonListenerOptions>) {
  const root = await scratchDirectory(t);
  git(root, 'init', '-q', '--bare', 'app.git');
  const repositories = createRepositoryDirectory(root);
  const failures: unknown[] = [];
  const server = await listenGitDaemon({
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 20_000,
    idleTimeoutMs: 20_000,
    maxConnections: 0,
    onDisconnect: (_, error) => failures.push(error),
    serve: (input, context) =>
      serveDaemonConnection(
        input,
        {
          limits: DEFAULT_LIMITS,
          async open() {
            const repository = await repositories.resolve('app.git', 'write');
            return repository === undefined ? { refused: 'none' } : { repository };
          },
        },
        context,
      ),
    ...options,
  });
  t.after(() => server.drain(0));
  const socket = connect(server.port, '127.0.0.1');
  t.after(() => socket.destroy());
  const parts: Buffer[] = [];
  return {
    root,
    server,
    socket,
    failures,
    /** What came until now, which will not come again. */
    heard: () => Buffer.concat(parts.splice(0)),
    listen: () => socket.on('data', (chunk: Buffer) => parts.push(chunk)),
    ask: (service: string) => socket.write(encodePacket(`git-${service} /app.git\0host=h\0`)),
  };
}

const NEW = makeCommit(undefined, Buffer.from('new'));
const UPDATES = [{ ref: 'refs/heads/new', oldId: NO_ID, newId: NEW.id }];

test('a push may pause before its commands and before its pack', async (t) => {
  const { socket, root, ask, listen } = await scene(t, { idleTimeoutMs: 60, pushPauseMs: 20_000 });
  listen();
  ask('receive-pack');
  await once(socket, 'data');
  await sleep(150);
  socket.write(pushBody(UPDATES));
  await sleep(150);
  socket.end(NEW.pack);
  await once(socket, 'close');
  assert.equal(git(join(root, 'app.git'), 'rev-parse', 'new').trim(), NEW.id);
});

test('who asks for a fetch may not', async (t) => {
  const { socket, ask, listen, heard } = await scene(t, { idleTimeoutMs: 60, pushPauseMs: 20_000 });
  listen();
  ask('upload-pack');
  await once(socket, 'end');
  assert.match(heard().toString(), /ERR Stopped: the client did not send anything for 0\.06 s$/);
});

test('a pack that trickles is cut in words, and nothing of it stays', async (t) => {
  const { socket, root, ask, listen, heard } = await scene(t, { floor: { bytes: 1000, windowMs: 60 } });
  listen();
  ask('receive-pack');
  await once(socket, 'data');
  heard();
  socket.write(pushBody(UPDATES, NEW.pack.subarray(0, 20)));
  let at = 20;
  const trickle = setInterval(() => socket.write(NEW.pack.subarray(at, ++at)), 10);
  t.after(() => clearInterval(trickle));
  await once(socket, 'end');
  assert.match(readAnswer(heard(), true).fatal, /the client sent \d+ bytes in 0\.06 s, less than 1000/);
  assert.deepEqual(leftOvers(root), []);
});

test('a client that does not read its answer is cut', async (t) => {
  const { server, socket, failures } = await scene(t, {
    idleTimeoutMs: 100,
    async *serve() {
      for (;;) yield new Uint8Array(64 * 1024);
    },
  });
  socket.pause();
  while (failures.length === 0) await sleep(10);
  assert.match(String(failures[0]), /did not take anything for 0\.1 s/);
  assert.equal(server.runningCount, 0);
});

test('nor is the end of an answer waited for without end', async () => {
  const taken: (() => void)[] = [];
  const sink = new Writable({ write: (_chunk, _encoding, done) => void taken.push(done) });
  sink.write('last');
  await assert.rejects(end(sink, { idleTimeoutMs: 20 }), { code: 'ABORTED' });
  for (const done of taken) done();
  await end(sink, { idleTimeoutMs: 20 });
});
