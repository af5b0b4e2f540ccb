/** What the oversized requests carry is what it says, in git's eyes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { git, scratchDirectory } from '../../support/git.ts';
import {
  gzippedZeros,
  packOfChain,
  packOfCopies,
  packOfDeepTree,
  packOfDoublings,
  packOfZeros,
  zeros,
} from './bombs.ts';
import { verdictOf } from './oversized.ts';

const MIB = 1024 * 1024;

test('zeros() is a zlib stream of so many megabytes', () => {
  assert.equal(Buffer.compare(zlib.inflateSync(Buffer.concat([...zeros(3)])), Buffer.alloc(3 * MIB)), 0);
});

test('gzippedZeros() opens up as gzip', () => {
  const opened = zlib.gunzipSync(Buffer.concat([...gzippedZeros(2)]).subarray(0, -8), {
    finishFlush: zlib.constants.Z_SYNC_FLUSH,
  });
  assert.equal(opened.length, 2 * MIB);
});

for (const [what, pack, objects] of [
  ['blobs of zeros', Buffer.concat([...packOfZeros(1, 3)]), 1],
  ['a blob that is doubled', packOfDoublings(2), 3],
  ['a blob that is copied', packOfCopies(1, 3), 4],
  ['a chain', packOfChain(20), 21],
  ['a deep tree', packOfDeepTree(50).pack, 52],
] as const) {
  test(`git takes a small pack of ${what}`, async (t) => {
    const directory = await scratchDirectory(t);
    git(directory, 'init', '-q', '--bare');
    git({ cwd: directory, input: pack }, 'index-pack', '--stdin');
    const count = git(directory, 'cat-file', '--batch-all-objects', '--batch-check')
      .trim()
      .split('\n').length;
    assert.equal(count, objects);
  });
}

for (const [text, how, verdict] of [
  ['HTTP/1.1 200 OK\r\n\r\n0000', 'ended', 'answered'],
  ['HTTP/1.1 200 OK\r\n\r\n0009ERR a', 'ended', 'refused'],
  ['HTTP/1.1 200 OK\r\n\r\n0021\x01000eunpack ok\n000bng a b0000', 'ended', 'refused'],
  ['HTTP/1.1 200 OK\r\n\r\n0021\x01000eunpack ok\n0008ok a0000', 'ended', 'answered'],
  ['HTTP/1.1 200 OK\r\n\r\n0021\x010014unpack too large0000', 'ended', 'refused'],
  ['HTTP/1.1 413 Payload Too Large\r\n\r\n', 'ended', 'refused'],
  ['', 'broken', 'closed'],
  ['', 'held', 'held'],
] as const) {
  test(`verdictOf() calls ${JSON.stringify(text)}, ${how}, ${verdict}`, () => {
    const status = text === '' ? undefined : Number(text.slice(9, 12));
    assert.equal(verdictOf({ status, text, how, receivedBytes: text.length, seconds: 0 }), verdict);
  });
}
