import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { createMemoryRepository } from '../../src/repository/memory-repository.ts';
import { createGitServer } from '../../src/transport/http/git-server.ts';
import { nodeListener, type RequestSummary } from '../../src/transport/node/http-listener.ts';

/** Sends bytes as they are, and tells what the server takes for requests, and for names of repositories. */
async function conversation(t: TestContext, bytes: string) {
  const finished: RequestSummary[] = [];
  const names: string[] = [];
  const git = createGitServer({
    repositories: async (name) => {
      names.push(name);
      return createMemoryRepository({ runtime: nodeRuntime });
    },
  });
  const server = createServer(nodeListener(git, { onFinish: (summary) => void finished.push(summary) }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.end(Buffer.from(bytes, 'latin1'));
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  await once(socket, 'close');
  return { answer, names, targets: finished.map(({ target }) => target) };
}

const HEAD =
  'POST /a/git-upload-pack HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-git-upload-pack-request\r\n';
const SECOND = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n';

for (const [what, headers, body] of [
  ['two lengths', 'Content-Length: 4\r\nContent-Length: 40\r\n', `0000${SECOND}`],
  ['a length and chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SECOND}`],
  ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${SECOND}`],
  ['chunks that are not last', 'Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${SECOND}`],
  ['chunks by a name that is none', 'Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${SECOND}`],
  ['a space before the colon', 'Content-Length : 4\r\n', `0000${SECOND}`],
  ['a length with a sign', 'Content-Length: +4\r\n', `0000${SECOND}`],
  ['a length in hex', 'Content-Length: 0x4\r\n', `0000${SECOND}`],
  ['a chunk size with a sign', 'Transfer-Encoding: chunked\r\n', `+4\r\n0000\r\n0\r\n\r\n${SECOND}`],
  ['a header that goes on', 'X: a\r\n b: c\r\nContent-Length: 4, 4\r\n', `0000${SECOND}`],
  ['a NUL in a header', 'X: a\0b\r\nContent-Length: 4\r\n', `0000${SECOND}`],
] as const) {
  test(`a request with ${what} hides no other behind it`, async (t) => {
    const { answer, targets } = await conversation(t, `${HEAD}${headers}\r\n${body}`);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.ok(!targets.includes('/smuggled'), targets.join());
  });
}

test('the same behind an honest length is a request of its own, so the test would see it', async (t) => {
  const { targets } = await conversation(t, `${HEAD}Content-Length: 4\r\n\r\n0000${SECOND}`);
  assert.deepEqual(targets, ['/a/git-upload-pack', '/smuggled']);
});

for (const host of ['h/hidden', 'h/hidden?x=', 'h/hidden#', 'h\\hidden', 'user@h', 'h?']) {
  test(`a Host header '${host}' does not become a part of the path`, async (t) => {
    const request = `GET /info/refs?service=git-upload-pack HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    const { answer, names } = await conversation(t, request);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.deepEqual(names, []);
  });
}
