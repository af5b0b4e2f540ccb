import assert from 'node:assert/strict';
import test from 'node:test';
import { concatBytes } from '../../../src/core/bytes.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { encodePacket, FLUSH_PACKET } from '../../../src/protocol/pkt-line.ts';
import { GitConfig } from '../../../src/repository/git-config.ts';
import { createMemoryRepository } from '../../../src/repository/memory-repository.ts';
import { createGitServer } from '../../../src/transport/http/git-server.ts';
import { packetLine, readPackets } from '../../support/packets.ts';

const REQUEST = concatBytes(encodePacket('argument --list\n'), FLUSH_PACKET);

function post(config: Readonly<Record<string, string>>, principal?: string): Promise<Response> {
  const entries = Object.entries(config).map(([name, value]) => ({ name, value }));
  const repository = { ...createMemoryRepository({ runtime: nodeRuntime }), config: new GitConfig(entries) };
  const server = createGitServer({
    repositories: async () => repository,
    authorize: async () => ({ allow: true, principal }),
  });
  return server.handle(
    new Request('http://localhost/a.git/git-upload-archive', {
      method: 'POST',
      headers: { 'content-type': 'application/x-git-upload-archive-request' },
      body: REQUEST as Uint8Array<ArrayBuffer>,
    }),
  );
}

for (const [what, config, principal, status] of [
  ['anybody', {}, undefined, 403],
  ['somebody', {}, 'alice', 200],
  ['anybody, where the repository allows it', { 'http.uploadarchive': 'true' }, undefined, 200],
  ['somebody, where the repository forbids it', { 'http.uploadarchive': 'false' }, 'alice', 403],
] as const) {
  test(`archives over HTTP for ${what}: ${status}`, async () => {
    const response = await post(config, principal);

    assert.equal(response.status, status);
    if (status !== 200) return;
    assert.equal(response.headers.get('content-type'), 'application/x-git-upload-archive-result');
    const lines = readPackets(new Uint8Array(await response.arrayBuffer())).map(packetLine);
    assert.deepEqual(lines, ['ACK', '0000', '1:tar\ntgz\ntar.gz\nzip\n', '0000']);
  });
}
