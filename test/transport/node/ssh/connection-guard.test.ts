import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import test from 'node:test';
import type { Connection } from 'ssh2';
import { limitRekeys } from '../../../../src/transport/node/ssh/connection-guard.ts';

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
