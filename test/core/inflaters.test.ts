import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { encodeText } from '../../src/core/bytes.ts';
import { BitWriter } from '../support/bit-writer.ts';
import { INFLATERS, inflateAll, type Steps } from '../support/inflaters.ts';

const hello = encodeText('hello hello hello');

/** What zlib's own deflater is told. */
const anySettings = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(
    zlib.constants.Z_DEFAULT_STRATEGY,
    zlib.constants.Z_FILTERED,
    zlib.constants.Z_HUFFMAN_ONLY,
    zlib.constants.Z_RLE,
    zlib.constants.Z_FIXED,
  ),
  windowBits: fc.integer({ min: 9, max: 15 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
});

/** Noise, letters, repetitions near and far: so that blocks of all kinds and distances of all lengths occur. */
const anyContent = fc
  .record({
    part: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    gap: fc.nat(40_000),
    times: fc.integer({ min: 1, max: 8 }),
    filler: fc.nat(255),
    letters: fc.boolean(),
  })
  .map(({ part, gap, times, filler, letters }) => {
    const sizeBytes = part.length * times + gap;
    const content = new Uint8Array(sizeBytes).fill(filler, 0, sizeBytes);
    const bytes = letters ? part.map((byte) => 97 + (byte & 3)) : part;
    content.set(bytes);
    for (let i = 1; i < times; i++) content.set(bytes, gap + part.length * i);
    return content;
  });

/** Some sizes, used in turn. */
const anySteps = fc.array(fc.oneof(fc.nat(3), fc.nat(300), fc.nat(50_000)), { minLength: 1, maxLength: 6 });

function inTurn(sizes: readonly number[]): () => number {
  let next = 0;
  return () => sizes[next++ % sizes.length] || 0;
}

function stepsOf(input: readonly number[], room: readonly number[]): Steps {
  return { input: inTurn([...input, 1]), room: inTurn([...room, 1]) };
}

/** A byte follows, by which an inflater may know the end. */
function withByteAfter(stream: Uint8Array): Uint8Array {
  const longer = new Uint8Array(stream.length + 1).fill(0x78);
  longer.set(stream);
  return longer;
}

/** A zlib stream of one block, its last, whose content is made bit by bit; the checksum is wrong unless given. */
function block(write: (bits: BitWriter) => void, checksum = 0): Uint8Array {
  const bits = new BitWriter().number(0x78, 8).number(0x9c, 8).number(1, 1);
  write(bits);
  const bytes = bits.bytes();
  const stream = new Uint8Array(bytes.length + 5);
  stream.set(bytes);
  new DataView(stream.buffer).setUint32(bytes.length, checksum);
  return stream;
}

/** Code lengths of a block with a code for the code lengths 0 to 15 of four bits each. */
function lengths(bits: BitWriter, literals: readonly number[], distances: readonly number[]): void {
  bits
    .number(2, 2)
    .number(literals.length - 257, 5)
    .number(distances.length - 1, 5)
    .number(15, 4);
  for (const symbol of [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]) {
    bits.number(symbol < 16 ? 4 : 0, 3);
  }
  for (const length of [...literals, ...distances]) bits.code(length, 4);
}

/** `count` zeros but for what is given. */
function sparse(count: number, given: { readonly [symbol: number]: number }): number[] {
  return Array.from({ length: count }, (_, symbol) => given[symbol] ?? 0);
}

/** With what zlib says of them. */
const REFUSED: readonly (readonly [why: string, message: string, stream: Uint8Array])[] = [
  ['a header whose check bits are wrong', 'incorrect header check', Uint8Array.of(0x78, 0x9d, 0, 0)],
  ['another compression method', 'unknown compression method', Uint8Array.of(0x77, 0x09, 0, 0)],
  ['a window above 32 KiB', 'invalid window size', Uint8Array.of(0x88, 0x1c, 0, 0)],
  ['a gzip stream', 'incorrect header check', new Uint8Array(zlib.gzipSync(hello))],
  ['a raw deflate stream', 'incorrect header check', new Uint8Array(zlib.deflateRawSync(hello))],
  [
    'a preset dictionary',
    'Missing dictionary',
    new Uint8Array(zlib.deflateSync(hello, { dictionary: hello })),
  ],
  ['a block of the kind that is reserved', 'invalid block type', block((bits) => bits.number(3, 2))],
  [
    'a stored block whose length has a wrong complement',
    'invalid stored block lengths',
    Uint8Array.of(0x78, 0x9c, 1, 2, 0, 0xfd, 0xfe, 0, 0),
  ],
  [
    'more than 286 literals and lengths',
    'too many length or distance symbols',
    block((bits) => bits.number(2, 2).number(30, 5).number(0, 40)),
  ],
  [
    'more than 30 distances',
    'too many length or distance symbols',
    block((bits) => bits.number(2, 2).number(0, 5).number(30, 5).number(0, 40)),
  ],
  [
    'too many codes of code lengths',
    'invalid code lengths set',
    block((bits) => bits.number(2, 2).number(0, 14).number(0b001001001, 9).number(0, 40)),
  ],
  [
    'too few codes of code lengths',
    'invalid code lengths set',
    block((bits) => bits.number(2, 2).number(0, 14).number(0b010010, 9).number(0, 40)),
  ],
  [
    'no code for the end of a block',
    'invalid code -- missing end-of-block',
    block((bits) => lengths(bits, sparse(257, { 0: 1, 1: 1 }), [1, 1])),
  ],
  [
    'too many literal codes',
    'invalid literal/lengths set',
    block((bits) => lengths(bits, sparse(257, { 0: 1, 1: 1, 256: 1 }), [1, 1])),
  ],
  [
    'too few literal codes',
    'invalid literal/lengths set',
    block((bits) => lengths(bits, sparse(257, { 0: 2, 256: 2 }), [1, 1])),
  ],
  [
    'too many distance codes',
    'invalid distances set',
    block((bits) => lengths(bits, sparse(257, { 0: 1, 256: 1 }), [1, 1, 1])),
  ],
  [
    'too few distance codes',
    'invalid distances set',
    block((bits) => lengths(bits, sparse(257, { 0: 1, 256: 1 }), [2, 2, 2])),
  ],
  [
    'a repetition before the first code length',
    'invalid bit length repeat',
    block((bits) => {
      bits
        .number(2, 2)
        .number(0, 5)
        .number(0, 5)
        .number(15, 4)
        .number(1, 3)
        .number(0, 9)
        .number(1, 3)
        .number(0, 42);
      bits.code(1, 1).number(0, 30);
    }),
  ],
  [
    'a literal code that is reserved',
    'invalid literal/length code',
    block((bits) => bits.number(1, 2).code(0b11000110, 8)),
  ],
  [
    'a distance code that is reserved',
    'invalid distance code',
    block((bits) => bits.number(1, 2).code(0x30, 8).code(1, 7).code(30, 5)),
  ],
  [
    'a distance before the start',
    'invalid distance too far back',
    block((bits) => bits.number(1, 2).code(0x30, 8).code(1, 7).code(1, 5)),
  ],
  [
    'a wrong checksum',
    'incorrect data check',
    block((bits) => bits.number(1, 2).code(0x30, 8).code(0, 7), 0x00010002),
  ],
];

for (const [why, message, stream] of REFUSED) {
  test(`node:zlib refuses ${why}: ${message}`, () => {
    assert.throws(() => zlib.inflateSync(stream), { message });
  });
}

for (const { name, create } of INFLATERS) {
  describe(`the ${name} inflater`, () => {
    const inflater = create();

    test('stops at the end of the stream, whatever follows', () => {
      const stream = zlib.deflateSync(hello);
      const input = new Uint8Array(stream.length + 500).fill(0x78);
      input.set(stream);
      const { kind, consumed, output } = inflateAll(inflater, input, 1000);
      assert.deepEqual([kind, consumed], ['ended', stream.length]);
      assert.deepEqual(output, hello);
    });

    test('inflates a block of every kind', () => {
      for (const stream of [
        zlib.deflateSync(hello, { level: 0 }),
        zlib.deflateSync(hello, { strategy: zlib.constants.Z_FIXED }),
        zlib.deflateSync(new Uint8Array(3000).map((_, i) => (i * i) % 97)),
        zlib.deflateSync(new Uint8Array(0)),
      ]) {
        const { kind, output } = inflateAll(inflater, withByteAfter(stream), 4000);
        assert.equal(kind, 'ended');
        assert.deepEqual(output, new Uint8Array(zlib.inflateSync(stream)));
      }
    });

    test('allows one code of one bit, and a block without distances', () => {
      const one = block(
        (bits) => {
          lengths(bits, sparse(257, { 48: 1, 256: 1 }), [1]);
          bits.code(0, 1).code(0, 1).code(1, 1);
        },
        adler32(encodeText('00')),
      );
      const { kind, output } = inflateAll(inflater, one, 10);
      const text = encodeText('00');
      assert.deepEqual([kind, output], ['ended', text]);
    });

    test('follows codes of up to 15 bits, of literals and of distances', () => {
      // Each letter comes about as often as all rarer ones together.
      const content = new Uint8Array(40_000).map((_, i) => Math.clz32(Math.imul(i, 2654435761)));
      const stream = zlib.deflateSync(content, { strategy: zlib.constants.Z_HUFFMAN_ONLY });
      assert.equal(Buffer.compare(inflateAll(inflater, withByteAfter(stream), 40_001).output, content), 0);

      const far = block(
        (bits) => {
          lengths(
            bits,
            sparse(258, { 97: 1, 256: 2, 257: 2 }),
            [...Array(15).keys(), 14].map((n) => n + 1),
          );
          for (let i = 0; i < 300; i++) bits.code(0, 1);
          bits.code(0b11, 2).code(0x7fff, 15).number(63, 6).code(0b10, 2);
        },
        adler32(new Uint8Array(303).fill(97)),
      );
      assert.deepEqual(inflateAll(inflater, far, 400).output, new Uint8Array(303).fill(97));
    });

    for (const [why, , stream] of REFUSED) {
      test(`refuses ${why}, and goes on with the next stream`, () => {
        assert.equal(inflateAll(inflater, withByteAfter(stream), 1000).kind, 'refused');
        assert.equal(inflateAll(inflater, withByteAfter(zlib.deflateSync(hello)), 1000).kind, 'ended');
      });
    }

    test('asks for more until the last byte is there', () => {
      const stream = zlib.deflateSync(hello);
      for (let end = 0; end < stream.length; end++) {
        assert.equal(inflateAll(inflater, stream.subarray(0, end), 1000).kind, 'open');
      }
    });

    test('fills no more than the room, and goes on when there is more', () => {
      const content = new Uint8Array(300).fill(7);
      const output = new Uint8Array(302).fill(1);
      const input = withByteAfter(zlib.deflateSync(content));
      inflater.reset();
      inflater.inflate(input, 0, input.length, output, 0, 100);
      assert.deepEqual([inflater.produced, inflater.ended, output[100]], [100, false, 1]);
      const { consumed } = inflater;
      inflater.inflate(input, consumed, input.length, output, 100, 302);
      assert.deepEqual([inflater.produced, inflater.ended, output[300]], [200, true, 1]);
      assert.equal(consumed + inflater.consumed, input.length - 1);
    });

    test('inflates what zlib deflated, whatever the settings and the pieces', () => {
      fc.assert(
        fc.property(anyContent, anySettings, anySteps, anySteps, (content, settings, inputs, rooms) => {
          const stream = zlib.deflateSync(content, settings);
          const steps = stepsOf(inputs, rooms);
          const { kind, consumed, output } = inflateAll(
            inflater,
            withByteAfter(stream),
            content.length + 1,
            steps,
          );
          assert.deepEqual([kind, consumed, output.length], ['ended', stream.length, content.length]);
          assert.equal(Buffer.compare(output, content), 0);
        }),
      );
    });

    test('says of damaged and truncated streams what node:zlib says, whatever the pieces', () => {
      fc.assert(
        fc.property(
          anyContent,
          anySettings,
          fc.array(fc.tuple(fc.nat(), fc.nat(7)), { maxLength: 3 }),
          fc.option(fc.nat()),
          anySteps,
          (content, settings, flips, cut, inputs) => {
            const stream = zlib.deflateSync(content.subarray(0, 3000), settings);
            const damaged = cut === null ? withByteAfter(stream) : stream.slice(0, cut % stream.length);
            for (const [at, bit] of flips) {
              const place = at % (at % 2 ? 12 : stream.length);
              if (place < damaged.length) damaged[place] = (damaged[place] as number) ^ (1 << bit);
            }
            const expected = referenceVerdict(damaged);
            const verdict = inflateAll(inflater, damaged, 70_000, { input: inTurn([...inputs, 1]) });
            assert.equal(verdict.kind, expected);
          },
        ),
        { numRuns: 300 },
      );
    });
  });
}

function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}

/** By the documented interface, which takes a stream that breaks off for an error of its own. */
function referenceVerdict(stream: Uint8Array): 'ended' | 'open' | 'refused' {
  try {
    zlib.inflateSync(stream);
    return 'ended';
  } catch (error) {
    return (error as { code?: string }).code === 'Z_BUF_ERROR' ? 'open' : 'refused';
  }
}
