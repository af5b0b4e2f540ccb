import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { GitError } from '../../../src/core/errors.ts';
import {
  type BodyEncoding,
  boundedBody,
  decodeBody,
  parseContentEncoding,
} from '../../../src/transport/http/request-body.ts';
import { chunked, drain } from '../../support/streams.ts';

for (const [header, expected] of [
  [null, 'identity'],
  ['', 'identity'],
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['deflate', 'deflate'],
  ['br', undefined],
  ['gzip, gzip', undefined],
] as const) {
  test(`parseContentEncoding() reads ${JSON.stringify(header)} as ${expected}`, () => {
    assert.equal(parseContentEncoding(header), expected);
  });
}

const compress = (bytes: Uint8Array, encoding: BodyEncoding): Uint8Array =>
  encoding === 'gzip' ? zlib.gzipSync(bytes) : encoding === 'deflate' ? zlib.deflateSync(bytes) : bytes;

test('decodeBody() gives back what was compressed, however it is chunked', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 5000 }),
      fc.constantFrom<BodyEncoding>('identity', 'gzip', 'deflate'),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
      async (bytes, encoding, sizes) => {
        const seen = await drain(decodeBody(chunked(compress(bytes, encoding), sizes), encoding));
        assert.deepEqual(Buffer.from(seen), Buffer.from(bytes));
      },
    ),
    { numRuns: 50 },
  );
});

for (const encoding of ['gzip', 'deflate'] as const) {
  const whole = compress(Buffer.alloc(100_000, 'have '), encoding);
  const flipped = whole.slice();
  flipped[flipped.length - 5]! ^= 1;
  for (const [what, bytes] of [
    ['bytes that are not compressed', Buffer.from('0011command=ls-refs0000')],
    ['a truncated stream', whole.slice(0, whole.length - 9)],
    ['a flipped byte in the checksum', flipped],
    ['nothing at all', new Uint8Array(0)],
  ] as const) {
    test(`decodeBody() refuses ${what} as ${encoding}`, async () => {
      await assert.rejects(drain(decodeBody(chunked(bytes, [1000]), encoding)), {
        code: 'PROTOCOL_VIOLATION',
      });
    });
  }
}

test('decodeBody() passes the error of the body itself on', async () => {
  const body = async function* () {
    yield zlib.gzipSync('x').subarray(0, 5);
    throw new GitError('ABORTED', 'the client went away');
  };
  await assert.rejects(drain(decodeBody(body(), 'gzip')), { code: 'ABORTED' });
});

test('decodeBody() reads no further than it is asked: a small body that inflates to much is stopped', async () => {
  const bomb = zlib.gzipSync(Buffer.alloc(64 << 20, randomBytes(3000)));
  let readBytes = 0;
  const body = async function* () {
    for await (const chunk of chunked(bomb, [4096])) {
      readBytes += chunk.length;
      yield chunk;
    }
  };
  await assert.rejects(drain(boundedBody(decodeBody(body(), 'gzip'), 1 << 20)), { code: 'LIMIT_EXCEEDED' });
  assert.ok(readBytes < bomb.length / 2, `read ${readBytes} of ${bomb.length} bytes`);
});

test('decodeBody() ends the body when its consumer stops early', async () => {
  let ended = false;
  const body = async function* () {
    try {
      for (;;) yield zlib.gzipSync(Buffer.alloc(1000));
    } finally {
      ended = true;
    }
  };
  for await (const _ of decodeBody(body(), 'gzip')) break;
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(ended);
});

test('boundedBody() lets exactly the limit through', async () => {
  assert.equal((await drain(boundedBody(chunked(new Uint8Array(10), [3]), 10))).length, 10);
  await assert.rejects(drain(boundedBody(chunked(new Uint8Array(11), [3]), 10)), { code: 'LIMIT_EXCEEDED' });
});
