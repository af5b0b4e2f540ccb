/** What an application is told of one git:// connection. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { streamOf } from '../../../src/core/byte-stream.ts';
import { concatBytes } from '../../../src/core/bytes.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { encodePacket } from '../../../src/protocol/pkt-line.ts';
import type { ClientWork } from '../../../src/transport/client-work.ts';
import { serveDaemonConnection } from '../../../src/transport/git-daemon/serve-connection.ts';
import { memoryHistory } from '../../support/memory-history.ts';
import { packLines } from '../../support/packets.ts';
import { drain } from '../../support/streams.ts';

const { repository, commits } = await memoryHistory();
const REQUEST = concatBytes(
  encodePacket('git-upload-pack /team/app.git\0host=h\0'),
  packLines([`want ${commits.at(-1)} side-band-64k`, '0000', 'done']),
);

for (const connection of [{ address: '192.0.2.7', port: 1234 }, undefined]) {
  test(`open and admit are told of ${connection === undefined ? 'nobody' : connection.address}`, async () => {
    const clients: unknown[] = [];
    const works: ClientWork[] = [];
    let released = 0;
    const { signal } = new AbortController();
    const output = serveDaemonConnection(
      streamOf(REQUEST),
      {
        limits: DEFAULT_LIMITS,
        open: async (_, { client }) => {
          clients.push(client);
          return { repository };
        },
        admit: async (work) => {
          works.push(work);
          return { release: () => void released++ };
        },
      },
      { connection, signal },
    );
    await drain(output);
    assert.deepEqual(clients, [connection]);
    assert.deepEqual(works, [
      { kind: 'clone', repository, principal: undefined, name: 'team/app.git', client: connection },
    ]);
    assert.equal(released, 1);
  });
}
