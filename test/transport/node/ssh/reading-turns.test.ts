import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadingTurns } from '../../../../src/transport/node/ssh/reading-turns.ts';

const PIECE = Buffer.alloc(1024, 'abc');
const MUCH = 16 * 1024;

/** A server that takes so long for each KiB, and answers it with so many. */
interface Manner {
  readonly busyMs?: number;
  readonly answers?: number;
}

async function served(t: TestContext, { busyMs = 0, answers = 0 }: Manner) {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  const turns = new ReadingTurns();
  t.after(() => server.close());
  return async () => {
    const client = connect({ port, host: '127.0.0.1' });
    const [socket] = (await once(server, 'connection')) as [Socket];
    const taken: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      taken.push(bytes);
      const until = performance.now() + (busyMs * bytes.length) / PIECE.length;
      while (performance.now() < until);
      for (let i = 0; i < answers; i++) socket.write(bytes);
    });
    turns.arrange(socket);
    t.after(() => {
      client.destroy();
      socket.destroy();
    });
    return { client, socket, taken };
  };
}

test('all bytes come in their order', async (t) => {
  const { client, taken } = await (await served(t, { busyMs: 0.05 }))();
  const sent = Buffer.alloc(1024 * 1024, 'what is sent comes as it was sent');
  client.end(sent);
  while (Buffer.concat(taken).length < sent.length) await sleep(5);
  assert.ok(Buffer.concat(taken).equals(sent));
});

test('a client that takes no answers is not read', async (t) => {
  const { client, socket } = await (await served(t, { answers: 4 }))();
  for (let i = 0; i < MUCH; i++) client.write(PIECE);
  while (!socket.isPaused()) await sleep(5);
  const { bytesRead } = socket;
  assert.ok(socket.writableLength < 4 * 1024 * 1024);
  await sleep(50);
  assert.equal(socket.bytesRead, bytesRead);
  // Once it reads, all is answered.
  let answerBytes = 0;
  client.on('data', (chunk) => (answerBytes += chunk.length));
  while (answerBytes < 4 * MUCH * PIECE.length) await sleep(5);
});

test('clients that keep the server busy leave time for others', async (t) => {
  const open = await served(t, { busyMs: 1 });
  const busy = await Promise.all([open(), open(), open()]);
  const sent = 200;
  for (const { client } of busy) for (let i = 0; i < sent; i++) client.write(PIECE);
  const before: number[] = [];
  const takenBytes = (): number[] => busy.map(({ taken }) => Buffer.concat(taken).length / PIECE.length);
  while (takenBytes().some((pieces) => pieces < sent)) {
    before.push(Math.max(...takenBytes()));
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Not all in one round, and nobody is done before the others have had a turn.
  assert.ok(before.length > 10);
  const progress = before.indexOf(sent);
  assert.ok(progress < 0 || progress > 5);
});
