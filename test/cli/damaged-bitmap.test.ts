import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { SHA1 } from '../../src/core/object-id.ts';
import { fileIn, plainRepository, resealed } from '../support/bitmapped-repository.ts';
import { startConfigured } from '../support/configured-server.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { MAIN, TSX } from './run-packwire.ts';

const UPLOAD_PACK = `'${process.execPath}' --import '${TSX}' '${MAIN}' upload-pack`;

/** The middle of a bitmap file: inside the bitmaps of commits, behind the four of the kinds. */
const damages: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  'that is cut off': (bytes) => bytes.slice(0, bytes.length >> 1),
  'with a flipped bit': (bytes) => bytes.with(bytes.length >> 1, (bytes[bytes.length >> 1] as number) ^ 1),
  'whose bitmaps say nonsense under a right hash': (bytes) =>
    resealed(bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 64), SHA1),
};

async function damagedRepository(t: TestContext, damage: (bytes: Uint8Array) => Uint8Array) {
  const { path } = await plainRepository(t);
  git(path, 'repack', '-adbq');
  const bitmaps = fileIn(path, '.bitmap');
  chmodSync(bitmaps, 0o644);
  writeFileSync(bitmaps, damage(new Uint8Array(readFileSync(bitmaps))));
  return { path, bitmaps };
}

const objectsOf = (path: string) => git(path, 'rev-list', '--objects', '--all').split('\n').sort();

for (const [what, damage] of Object.entries(damages)) {
  test(`a bitmap file ${what} is told of on standard error, and the clone is whole`, async (t) => {
    const { path, bitmaps } = await damagedRepository(t, damage);
    const target = join(await scratchDirectory(t), 'clone.git');
    const cloned = await gitAsync(
      '/',
      'clone',
      '-q',
      '--no-local',
      '--mirror',
      '-u',
      UPLOAD_PACK,
      path,
      target,
    );
    assert.equal(cloned.status, 0, cloned.stderr);
    assert.match(cloned.stderr, /^warning: Cannot (?:use|read) bitmaps: .*\(.*\)$/m);
    assert.ok(cloned.stderr.includes(bitmaps));
    assert.deepEqual(objectsOf(target), objectsOf(path));
  });
}

test('the server tells of it once, and goes on', async (t) => {
  const { path, bitmaps } = await damagedRepository(t, damages['that is cut off']!);
  const warnings: string[] = [];
  const server = await startConfigured(
    t,
    { root: join(path, '..') },
    {
      onWarning: ({ detail }) => warnings.push(String(detail.path)),
    },
  );
  const scratch = await scratchDirectory(t);
  for (const name of ['a', 'b']) {
    const url = `${server.urls[0]}/${path.split('/').at(-1)}`;
    const { status, stderr } = await gitAsync(scratch, 'clone', '-q', '--mirror', url, name);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.deepEqual(objectsOf(join(scratch, name)), objectsOf(path));
  }
  assert.deepEqual(warnings, [bitmaps]);
});
