import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeText } from '../../src/core/bytes.ts';
import { createNativeInflater } from '../../src/core/node/native-inflater.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { bytesToHex, SHA1, SHA256 } from '../../src/core/object-id.ts';
import { portableRuntime } from '../../src/core/portable/runtime.ts';
import { chunked, drain } from '../support/streams.ts';

test("this Node's zlib binding passes the self-test, so the fast inflater is the one under test", () => {
  assert.notEqual(createNativeInflater(), undefined);
});

for (const runtime of [nodeRuntime, portableRuntime]) {
  describe(`the ${runtime.name} runtime`, () => {
    test('hashes an empty blob as git does', () => {
      const blob = encodeText('blob 0\0');
      const id = new Uint8Array(32);
      runtime.hashInto(SHA1, blob, 0, blob.length, id, 0);
      assert.equal(bytesToHex(id, 0, 20), 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391');
      runtime.hashInto(SHA256, blob, 0, blob.length, id, 0);
      assert.equal(bytesToHex(id), '473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813');
    });

    test('inflates what it deflated, whatever the pieces, and reports the bytes it took', () => {
      const inflater = runtime.createInflater();
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 5000 }),
          fc.integer({ min: 1, max: 999 }),
          fc.integer({ min: 1, max: 999 }),
          (content, inputStep, outputStep) => {
            const deflated = runtime.deflate(content);
            const input = new Uint8Array(deflated.length + 1);
            input.set(deflated);
            const output = new Uint8Array(content.length + 1);
            inflater.reset();
            let consumed = 0;
            let produced = 0;
            while (!inflater.ended) {
              const inputEnd = Math.min(input.length, consumed + inputStep);
              const outputEnd = Math.min(output.length, produced + outputStep);
              inflater.inflate(input, consumed, inputEnd, output, produced, outputEnd);
              consumed += inflater.consumed;
              produced += inflater.produced;
            }
            assert.equal(consumed, deflated.length);
            assert.deepEqual(output.subarray(0, produced), content);
          },
        ),
      );
      inflater.close();
    });

    test('refuses arbitrary bytes with PACK_CORRUPT, or asks for more', () => {
      const inflater = runtime.createInflater();
      const output = new Uint8Array(1000);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
          inflater.reset();
          try {
            inflater.inflate(bytes, 0, bytes.length, output, 0, output.length);
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'PACK_CORRUPT');
          }
        }),
      );
      inflater.close();
    });

    test('deflateStream() makes one zlib stream of any number of chunks', async () => {
      const content = new Uint8Array(200_000).map((_, i) => i % 241);
      const deflated = await drain(runtime.deflateStream(chunked(content, [1, 70_000, 333])));
      const output = new Uint8Array(content.length + 1);
      const inflater = runtime.createInflater();
      inflater.inflate(new Uint8Array([...deflated, 0]), 0, deflated.length + 1, output, 0, output.length);
      assert.equal(inflater.ended, true);
      assert.deepEqual(output.subarray(0, content.length), content);
    });

    test('crc32() agrees with the other runtime, whole and in two parts', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (bytes, at) => {
          const cut = Math.min(at, bytes.length);
          const whole = portableRuntime.crc32(bytes, 0, bytes.length, 0);
          assert.equal(runtime.crc32(bytes, cut, bytes.length, runtime.crc32(bytes, 0, cut, 0)), whole);
        }),
      );
    });
  });
}
