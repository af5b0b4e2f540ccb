import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, encodeText } from '../../../src/core/bytes.ts';
import { bytesToHex } from '../../../src/core/object-id.ts';
import type { DetectingSha1 } from '../../../src/core/sha1/detecting-sha1.ts';
import { createPlainSha1 } from '../../../src/core/sha1/plain-sha1.ts';
import { createWasmSha1 } from '../../../src/core/sha1/wasm-sha1.ts';
import { collidingMessages } from '../../support/sha1-collisions.ts';

const wasm = createWasmSha1() as DetectingSha1;
const plain = createPlainSha1();
const thorough = createPlainSha1({ checkAll: true });
const messages = collidingMessages();

interface Verdict {
  readonly id: string;
  readonly isAttacked: boolean;
}

test('every Node has the WebAssembly that this needs', () => assert.notEqual(createWasmSha1(), undefined));

for (const sha1 of [wasm, plain]) {
  for (const [text, id] of [
    ['', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
    ['abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['a'.repeat(1_000_000), '34aa973cd4c4daa4f61eeb2bdbad27316534016f'], // the examples of FIPS 180
  ] as const) {
    test(`${sha1.name}: hash of ${text.length} characters`, () => {
      assert.deepEqual(inOnePiece(sha1, encodeText(text)), { id, isAttacked: false });
    });
  }
}

for (const [label, sha1] of Object.entries({ wasm, plain, thorough })) {
  for (const { name, bytes } of messages) {
    test(`${label}: detects ${name}, alone and at the beginning of another message`, () => {
      assert.equal(inOnePiece(sha1, bytes).isAttacked, true);
      assert.equal(inOnePiece(sha1, concatBytes(bytes, encodeText('whatever follows'))).isAttacked, true);
      // Another beginning is another chaining value: then the blocks collide with nothing.
      assert.equal(inOnePiece(sha1, concatBytes(new Uint8Array(64), bytes)).isAttacked, false);
    });
  }
}

test('the published messages do collide', () => {
  assert.ok(messages.length >= 2);
  for (let i = 0; i < messages.length; i += 2) {
    const [one, other] = messages.slice(i, i + 2).map(({ bytes }) => inOnePiece(wasm, bytes).id);
    assert.equal(one, other);
  }
});

for (const sha1 of [wasm, plain]) {
  test(`${sha1.name}: the same hash as node:crypto, in any chunks`, () => {
    fc.assert(
      fc.property(anyBytes(), fc.array(fc.nat(300)), (bytes, cuts) => {
        const expected = { id: createHash('sha1').update(bytes).digest('hex'), isAttacked: false };
        assert.deepEqual(inOnePiece(sha1, bytes), expected);
        assert.deepEqual(inChunks(sha1, bytes, cuts), expected);
      }),
    );
  });
}

test('wasm: several messages in turns', () => {
  fc.assert(
    fc.property(fc.array(anyBytes(), { minLength: 2, maxLength: 5 }), (contents) => {
      const hashes = contents.map(() => wasm.createHash());
      for (const part of [0, 1]) {
        for (const [i, bytes] of contents.entries()) {
          const half = bytes.length >> 1;
          hashes[i]?.update(part === 0 ? bytes.subarray(0, half) : bytes.subarray(half));
        }
      }
      for (const [i, bytes] of contents.entries()) {
        const id = bytesToHex(hashes[i]?.digest() as Uint8Array);
        assert.equal(id, createHash('sha1').update(bytes).digest('hex'));
      }
    }),
  );
});

test('wasm: messages larger than a piece', () => {
  for (const length of [128 * 1024 - 1, 128 * 1024, 128 * 1024 + 1, 300_000]) {
    const bytes = new Uint8Array(length).map((_, i) => (i * i) % 251);
    const expected = { id: createHash('sha1').update(bytes).digest('hex'), isAttacked: false };
    assert.deepEqual(inOnePiece(wasm, bytes), expected);
    assert.deepEqual(inChunks(wasm, bytes, [1, 70_000, 200_000]), expected);
  }
});

test('wasm: a batch gives each message its own hash and verdict', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(anyBytes(), fc.constantFrom(...messages.map(({ bytes }) => bytes))), {
        maxLength: 40,
      }),
      (contents) => {
        assert.deepEqual(
          inBatch(wasm, contents),
          contents.map((bytes) => inOnePiece(wasm, bytes)),
        );
      },
    ),
  );
});

test('wasm: a batch says when it is full, and takes no message that would fill it', () => {
  const batch = wasm.createBatch?.();
  assert.ok(batch);
  assert.equal(batch.add(new Uint8Array(4_000_000), 0, batch.mostBytes + 1, 0), false);
  let added = 0;
  while (batch.add(encodeText('x'), 0, 1, added)) added++;
  let found = 0;
  batch.flush(true, () => found++);
  assert.equal(found, added);
  assert.equal(batch.add(encodeText('x'), 0, 1, 0), true);
});

test('wasm: a batch for large messages has room for four of them at least', () => {
  const batch = wasm.createBatch?.(true);
  assert.ok(batch);
  const contents = Array.from({ length: 4 }, (_, i) =>
    new Uint8Array(batch.mostBytes - 1000 * (i + 1)).fill(i),
  );
  for (const [key, bytes] of contents.entries()) assert.ok(batch.add(bytes, 0, bytes.length, key));
  const ids: string[] = [];
  batch.flush(true, (key, bytes, at) => {
    ids[key] = bytesToHex(bytes, at, 20);
  });
  assert.deepEqual(
    ids,
    contents.map((bytes) => createHash('sha1').update(bytes).digest('hex')),
  );
});

test('wasm: a batch goes on with what was left over', () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(lengths, { maxLength: 5 }), (rounds) => {
      const batch = wasm.createBatch?.();
      assert.ok(batch);
      const attack = messages[0]?.bytes ?? new Uint8Array(0);
      const contents: Uint8Array[] = [];
      const verdicts: Verdict[] = [];
      const take = (key: number, ids: Uint8Array, at: number, isAttacked: boolean) => {
        assert.equal(verdicts[key], undefined);
        verdicts[key] = { id: bytesToHex(ids, at, 20), isAttacked };
      };
      for (const round of rounds) {
        for (const length of round) {
          const bytes = new Uint8Array(length + attack.length).fill(length, attack.length);
          if (length % 3 === 0) bytes.set(attack);
          batch.add(bytes, 0, bytes.length, contents.push(bytes) - 1);
        }
        batch.flush(false, take);
        assert.ok(contents.length - verdicts.filter(Boolean).length <= 2);
      }
      batch.flush(true, take);
      assert.deepEqual(
        verdicts,
        contents.map((bytes) => inOnePiece(wasm, bytes)),
      );
    }),
    { numRuns: 30 },
  );
});

test('an attack is detected wherever a block of it is changed by a bit or not', () => {
  // Flipping one bit of the last block usually ends the attack; whatever it does, all three agree.
  const [message] = messages;
  assert.ok(message);
  fc.assert(
    fc.property(fc.nat(message.bytes.length * 8 - 1), fc.boolean(), (bit, flip) => {
      const bytes = message.bytes.slice();
      if (flip) bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const verdict = inOnePiece(thorough, bytes);
      assert.deepEqual(inOnePiece(plain, bytes), verdict);
      assert.deepEqual(inOnePiece(wasm, bytes), verdict);
      assert.deepEqual(inBatch(wasm, [bytes, bytes, bytes, bytes]), [verdict, verdict, verdict, verdict]);
    }),
  );
});

function anyBytes(): fc.Arbitrary<Uint8Array> {
  return fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 3000, size: 'max' }));
}

function inOnePiece(sha1: DetectingSha1, bytes: Uint8Array): Verdict {
  const padded = concatBytes(encodeText('<'), bytes, encodeText('>'));
  const id = new Uint8Array(22);
  const isAttacked = sha1.hashInto(padded, 1, padded.length - 1, id, 1);
  return { id: bytesToHex(id, 1, 20), isAttacked };
}

function inChunks(sha1: DetectingSha1, bytes: Uint8Array, cuts: readonly number[]): Verdict {
  const hash = sha1.createHash();
  let at = 0;
  for (const cut of cuts) {
    hash.update(bytes.subarray(at, at + cut));
    at = Math.min(bytes.length, at + cut);
  }
  hash.update(bytes.subarray(at));
  return { id: bytesToHex(hash.digest()), isAttacked: hash.isAttacked };
}

function inBatch(sha1: DetectingSha1, contents: readonly Uint8Array[]): Verdict[] {
  const verdicts: Verdict[] = [];
  const batch = sha1.createBatch?.();
  assert.ok(batch);
  for (const [key, bytes] of contents.entries()) assert.ok(batch.add(bytes, 0, bytes.length, key));
  batch.flush(true, (key, ids, at, isAttacked) => {
    verdicts[key] = { id: bytesToHex(ids, at, 20), isAttacked };
  });
  return verdicts;
}
