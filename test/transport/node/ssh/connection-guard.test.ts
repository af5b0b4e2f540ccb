import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'ssh2';
import { holdBackUnread, limitRekeys } from '../../../../src/transport/node/ssh/connection-guard.ts';

const PIECE = Buffer.alloc(1024);

/** A server that answers each chunk with more than it was, and a client that reads nothing yet. */
async function answered(t: TestContext) {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  const client = connect({ port, host: '127.0.0.1' });
  const [socket] = (await once(server, 'connection')) as [Socket];
  socket.on('data', (chunk: Buffer) => {
    for (let i = 0; i < 4; i++) socket.write(chunk);
  });
  holdBackUnread(socket);
  t.after(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  return { client, socket };
}

test('a client that takes no answers is not read', async (t) => {
  const { client, socket } = await answered(t);
  const MUCH = 64 * 1024;
  for (let i = 0; i < MUCH; i++) client.write(PIECE);
  while (!socket.isPaused()) await sleep(5);
  const { bytesRead, writableLength } = socket;
  assert.ok(writableLength < 4 * 1024 * 1024);
  await sleep(50);
  assert.equal(socket.bytesRead, bytesRead);
  // Once it reads, all is answered.
  let answerBytes = 0;
  client.on('data', (chunk) => (answerBytes += chunk.length));
  while (answerBytes < 4 * MUCH * PIECE.length) await sleep(5);
});

for (const [what, bytes, rekeys, tooMany] of [
  ['a few rekeys are nobody’s concern', 0, 16, 0],
  ['many are too many', 0, 20, 4],
  ['unless they have something to do', 1024 * 1024, 32, 0],
] as const) {
  test(what, () => {
    const connection = new EventEmitter();
    let told = 0;
    const socket = { bytesRead: bytes / 2, bytesWritten: bytes / 2 };
    limitRekeys(connection as unknown as Connection, socket as Socket, () => told++);
    for (let i = 0; i < rekeys; i++) connection.emit('rekey');
    assert.equal(told, tooMany);
  });
}
