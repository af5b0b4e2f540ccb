/** A pack that is small on the wire and large once it is inflated is scanned a piece at a time: others wait for no more. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { createObjectHasher } from '../../src/core/object-hasher.ts';
import { bytesToHex, SHA1 } from '../../src/core/object-id.ts';
import { BLOB } from '../../src/core/object-kind.ts';
import { PackScanner } from '../../src/pack/pack-scanner.ts';
import { packOf, wholeEntry } from '../support/pack-builder.ts';

const MIB = 1024 * 1024;

for (const [what, sizes] of [
  ['one blob of 16 MiB of zeros', [16 * MIB]],
  ['two hundred of 100 kB', Array.from({ length: 200 }, () => 100_000)],
  ['a small one between large ones', [3 * MIB, 1, 3 * MIB]],
] as const) {
  test(`the scanner stops again and again within ${what}, and reads the same`, () => {
    const blobs = sizes.map((size) => Buffer.alloc(size));
    const pack = packOf(blobs.map((blob) => wholeEntry(BLOB, blob)));
    const hasher = createObjectHasher(nodeRuntime, SHA1, true);
    const scanner = new PackScanner(SHA1, nodeRuntime, DEFAULT_LIMITS, hasher);
    let calls = 0;
    for (let at = 0; at < pack.length; calls++) at = scanner.scan(pack, at, pack.length);
    scanner.close();

    assert.ok(scanner.isDone);
    const inflatedMebibytes = sizes.reduce((sum, size) => sum + size, 0) / MIB;
    assert.ok(calls > inflatedMebibytes / 2, `${calls} calls`);
    const { ids } = scanner.table.columns;
    for (const [n, blob] of blobs.entries()) {
      const id = createHash('sha1').update(`blob ${blob.length}\0`).update(blob).digest('hex');
      assert.equal(bytesToHex(ids.subarray(n * 20, n * 20 + 20)), id);
    }
  });
}

test('an ordinary pack is scanned in one go', () => {
  const pack = packOf([wholeEntry(BLOB, Buffer.from('a')), wholeEntry(BLOB, Buffer.from('b'))]);
  const hasher = createObjectHasher(nodeRuntime, SHA1, true);
  const scanner = new PackScanner(SHA1, nodeRuntime, DEFAULT_LIMITS, hasher);
  assert.equal(scanner.scan(pack, 0, pack.length), pack.length);
  scanner.close();
});
