import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hexToBytes } from '../../src/core/object-id.ts';
import { formatPackHeader, parsePackHeader } from '../../src/pack/pack-header.ts';

for (const [hex, count] of [
  ['5041434b0000000200000000', 0],
  ['5041434b0000000200000001', 1],
  ['5041434b00000003ffffffff', 4294967295],
] as const) {
  test(`parsePackHeader() reads ${hex} as ${count} entries`, () => {
    assert.equal(parsePackHeader(hexToBytes(hex)), count);
  });
}

for (const [hex, code] of [
  ['', 'PACK_CORRUPT'],
  ['5041434b00000002000000', 'PACK_CORRUPT'],
  ['5041434c0000000200000000', 'PACK_CORRUPT'],
  ['5041434b0000000100000000', 'UNSUPPORTED'],
  ['5041434b0000000400000000', 'UNSUPPORTED'],
] as const) {
  test(`parsePackHeader() refuses ${hex === '' ? 'nothing' : hex} as ${code}`, () => {
    assert.throws(() => parsePackHeader(hexToBytes(hex)), { code });
  });
}

test('parsePackHeader() reads what formatPackHeader() wrote, at any offset', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.nat(20), (count, offset) => {
      const bytes = new Uint8Array(offset + 12);
      bytes.set(formatPackHeader(count), offset);
      assert.equal(parsePackHeader(bytes, offset), count);
    }),
  );
});
