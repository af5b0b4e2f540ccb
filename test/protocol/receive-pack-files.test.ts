/** Bad packs pushed into a repository on disk: the report says so, and the directory is as it was. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { SHA1 } from '../../src/core/object-id.ts';
import type { ReceivePackOptions } from '../../src/protocol/receive-pack.ts';
import { initRepository } from '../../src/repository/node/init-repository.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { git } from '../support/git.ts';
import { pushByHand } from '../support/push-client.ts';
import { makePushHistory } from '../support/push-history.ts';

const scratch = mkdtempSync(join(tmpdir(), 'packwire-test-'));
const directory = join(scratch, 'server.git');
const history = makePushHistory(scratch);
const { first, second, third } = history;
let repository: Repository;

before(async () => {
  repository = await initRepository(directory);
  const { report } = await pushByHand(repository, {
    commands: [`${SHA1.zeroId} ${first} refs/heads/main`],
    pack: history.pack(first),
  });
  assert.deepEqual(report, ['unpack ok', 'ok refs/heads/main', '0000']);
});

after(async () => {
  await repository[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true, force: true });
});

/** `body` with a right trailer, after any change to it. */
function sealed(body: Uint8Array): Uint8Array {
  const hash = nodeRuntime.createHash(SHA1);
  hash.update(body);
  return concatBytes(body, hash.digest());
}

function changed(pack: Uint8Array, at: number, value: number): Uint8Array {
  const copy = pack.slice(0, pack.length - 20);
  copy[at] = value;
  return sealed(copy);
}

const good = history.pack(third, `^${first}`);
const body = good.slice(0, good.length - 20);
const count = good[11] as number;
const update = [`${first} ${third} refs/heads/main`];
const unpacker = 'ng refs/heads/main unpacker error';
const missing = 'ng refs/heads/main missing necessary objects';
const unkept = { unpackLimit: 1000 };
const kept = { unpackLimit: 0 };

const cases: (readonly [string, Uint8Array, string, string, Partial<ReceivePackOptions>?])[] = [
  ['a truncated pack', good.slice(0, good.length - 25), 'unpack pack is corrupt', unpacker],
  ['a truncated pack, kept', good.slice(0, good.length - 25), 'unpack pack is corrupt', unpacker, kept],
  ['a pack cut before its trailer', body, 'unpack pack is corrupt', unpacker],
  ['a header alone', good.slice(0, 12), 'unpack pack is corrupt', unpacker],
  ['half a header', good.slice(0, 7), 'unpack pack is corrupt', unpacker],
  ['a count that is too large', changed(good, 11, count + 1), 'unpack pack is corrupt', unpacker],
  ['a count that is too small', changed(good, 11, count - 1), 'unpack pack is corrupt', unpacker],
  ['version 4 of the format', changed(good, 7, 4), 'unpack unsupported pack', unpacker],
  ['a lying size', changed(good, 12, (good[12] as number) ^ 1), 'unpack pack is corrupt', unpacker],
  ['an entry of no type', changed(good, 12, (good[12] as number) & 0x8f), 'unpack pack is corrupt', unpacker],
  ['more objects than allowed', good, 'unpack limit exceeded', unpacker, limit({ maxPackObjects: 2 })],
  [
    'more inflated bytes than allowed',
    good,
    'unpack limit exceeded',
    unpacker,
    limit({ maxInflatedBytes: 200 }),
  ],
  ['a pack without the history of its tip', history.wholePack(third, `^${second}`), 'unpack ok', missing],
  ['the same, kept', history.wholePack(third, `^${second}`), 'unpack ok', missing, kept],
  [
    'an empty pack for a tip that is not here',
    sealed(encodeText('PACK\0\0\0\u0002\0\0\0\0')),
    'unpack ok',
    missing,
  ],
  [
    'a hook’s refusal of loose objects',
    good,
    'unpack ok',
    'ng refs/heads/main pre-receive hook declined',
    refusing(unkept),
  ],
  [
    'a hook’s refusal of a pack',
    good,
    'unpack ok',
    'ng refs/heads/main pre-receive hook declined',
    refusing(kept),
  ],
];
for (let at = 0; at < good.length; at += 97) {
  const flipped = good.slice();
  flipped[at] = (flipped[at] as number) ^ 0x40;
  cases.push([`a flipped byte at ${at}`, flipped, '', unpacker]);
}

function limit(limits: Partial<typeof DEFAULT_LIMITS>): Partial<ReceivePackOptions> {
  return { limits: { ...DEFAULT_LIMITS, ...limits } };
}

function refusing(options: Partial<ReceivePackOptions>): Partial<ReceivePackOptions> {
  return { ...options, hooks: { preReceive: async () => ({}) } };
}

for (const [title, pack, unpack, result, options] of cases) {
  test(`${title} leaves nothing behind`, async () => {
    const files = readdirSync(directory, { recursive: true }).sort();
    const { report, fatal } = await pushByHand(repository, { commands: update, pack }, options);
    assert.equal(fatal, '');
    if (unpack !== '') assert.equal(report[0], unpack);
    else assert.match(report[0] as string, /^unpack (?!ok)/);
    assert.deepEqual(report.slice(1), [result, '0000']);
    assert.deepEqual(readdirSync(directory, { recursive: true }).sort(), files);
  });
}

test('after all of that the repository is sound and takes the good pack', async () => {
  git(directory, 'fsck', '--full', '--strict');
  const { report } = await pushByHand(repository, { commands: update, pack: good });
  assert.deepEqual(report, ['unpack ok', 'ok refs/heads/main', '0000']);
  git(directory, 'fsck', '--full', '--strict', '--no-dangling');
});
