import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import type ssh2 from 'ssh2';
import { loadHostKeys } from '../../../../src/transport/node/ssh/host-keys.ts';
import type { SshEvent } from '../../../../src/transport/node/ssh/ssh-options.ts';
import { createSshServer } from '../../../../src/transport/node/ssh/ssh-server.ts';
import { scratchDirectory } from '../../../support/git.ts';
import { connectSsh } from '../../../support/ssh-client.ts';

/** What of ssh2 sends data whatever the window says. */
interface Protocol {
  channelData(channel: number, data: Buffer): void;
}

/** Odd, so that the window is never spent exactly: ssh2 drops what comes then, and takes it in any other case. */
const PIECE = Buffer.alloc(16 * 1024 - 1);
/** What ssh2 offers a client to send unread. */
const WINDOW_BYTES = 2 * 1024 * 1024;

/** A server that reads nothing, and a client that has asked it for something. */
async function conversation(t: test.TestContext) {
  const events: SshEvent[] = [];
  const [key] = await loadHostKeys(await scratchDirectory(t));
  const server = createSshServer({
    hostKeys: [key?.privateKey ?? ''],
    authenticator: { key: async () => 'somebody', password: async () => 'somebody' },
    async *serve({ signal }) {
      await once(signal, 'abort');
      yield* [];
    },
    onEvent: (event) => events.push(event),
  });
  const port = await server.listen('127.0.0.1', 0);
  t.after(() => server.drain(0));
  const client = await connectSsh(t, port);
  const channel = await new Promise<ssh2.ClientChannel>((resolve, reject) => {
    client.exec("git-receive-pack 'a'", (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  const { _protocol: protocol } = client as unknown as { readonly _protocol: Protocol };
  const { id } = (channel as unknown as { readonly outgoing: { readonly id: number } }).outgoing;
  return { server, client, events, send: () => protocol.channelData(id, PIECE) };
}

test('a client that sends far more than it was allowed to is cut', async (t) => {
  const { client, events, send, server } = await conversation(t);
  // Not once(): what is written to a cut connection may be an error first.
  const closed = new Promise<void>((resolve) => client.on('close', resolve));
  let isOpen = true;
  client.on('close', () => (isOpen = false));
  let sentBytes = 0;
  while (isOpen && sentBytes < 64 * WINDOW_BYTES) {
    for (let i = 0; i < 16; i++) send();
    sentBytes += 16 * PIECE.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  assert.ok(sentBytes < 64 * WINDOW_BYTES);
  while (server.connectionCount + server.runningCount > 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['login', 'command'],
  );
});

test('one that sends what it may is not', async (t) => {
  const { client, events, send } = await conversation(t);
  for (let sentBytes = 0; sentBytes < WINDOW_BYTES; sentBytes += PIECE.length) send();
  // An answer to this shows that the server has taken all of it.
  await new Promise<void>((resolve, reject) => {
    client.exec("git-upload-pack 'a'", (error) => (error ? reject(error) : resolve()));
  });
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['login'],
  );
});
