import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeLatin1 as ascii, concatBytes, decodeLatin1 } from '../../src/core/bytes.ts';
import { GitError } from '../../src/core/errors.ts';
import { type BandTwo, encodeBand, multiplex } from '../../src/protocol/side-band.ts';
import { readPackets } from '../support/packets.ts';
import { drain } from '../support/streams.ts';

const NO_KEEPALIVE = { keepaliveMs: 0 };
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function shown(stream: AsyncIterable<Uint8Array>): Promise<string[]> {
  return readPackets(await drain(stream)).map((packet) =>
    packet.kind === 'data' ? `${packet.payload[0]}:${decodeLatin1(packet.payload, 1)}` : packet.kind,
  );
}

for (const [name, band, payload, room, wire] of [
  ['pack data', 1, 'PACK', 1000, '0009\x01PACK'],
  ['progress', 2, 'x\r', 1000, '0007\x02x\r'],
  ['an error', 3, 'no', 1000, '0007\x03no'],
  ['nothing', 1, '', 1000, ''],
  ['more than fits', 1, 'abcde', 7, '0007\x01ab0007\x01cd0006\x01e'],
] as const) {
  test(`encodeBand() of ${name}`, () => {
    assert.equal(decodeLatin1(encodeBand(band, payload, room)), wire);
  });
}

test('encodeBand() fills packets of 65520 bytes', () => {
  const packets = readPackets(encodeBand(1, new Uint8Array(2 * 65515 + 1)));
  assert.deepEqual(
    packets.map((packet) => packet.kind === 'data' && packet.payload.length),
    [65516, 65516, 2],
  );
});

test('multiplex() sends text ahead of the data it came with', async () => {
  async function* work(bandTwo: BandTwo) {
    bandTwo.write('one\n');
    yield ascii('first');
    bandTwo.write('two\r');
    bandTwo.write('three\n');
    yield ascii('second');
    bandTwo.write('bye\n');
  }
  assert.deepEqual(await shown(multiplex(work, NO_KEEPALIVE)), [
    '2:one\n',
    '1:first',
    '2:two\rthree\n',
    '1:second',
    '2:bye\n',
  ]);
});

test('multiplex() sends text while the work goes on', async () => {
  let release: () => void = () => undefined;
  async function* work(bandTwo: BandTwo) {
    bandTwo.write('working\r');
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    yield ascii('data');
  }
  const output = multiplex(work, NO_KEEPALIVE);
  assert.equal(decodeLatin1((await output.next()).value as Uint8Array), '000d\x02working\r');
  release();
  assert.equal(decodeLatin1((await output.next()).value as Uint8Array), '0009\x01data');
  assert.equal((await output.next()).done, true);
});

test('multiplex() fills silence with keepalives', async () => {
  async function* work() {
    await later(40);
    yield ascii('data');
  }
  const lines = await shown(multiplex(work, { keepaliveMs: 5 }));
  assert.equal(lines.at(-1), '1:data');
  assert.ok(lines.length > 1);
  assert.deepEqual(new Set(lines.slice(0, -1)), new Set(['1:']));
});

test('multiplex() passes a failure on, after the text written before it', async () => {
  const failure = new GitError('PACK_CORRUPT', 'Cannot read');
  async function* work(bandTwo: BandTwo): AsyncGenerator<Uint8Array> {
    yield ascii('data');
    bandTwo.write('last words\n');
    throw failure;
  }
  const output = multiplex(work, NO_KEEPALIVE);
  await output.next();
  assert.equal(decodeLatin1((await output.next()).value as Uint8Array), '0010\x02last words\n');
  await assert.rejects(output.next(), failure);
});

test('multiplex() does not leave a failure unhandled that comes while nobody reads', async () => {
  async function* work(): AsyncGenerator<Uint8Array> {
    yield ascii('data');
    throw new GitError('PACK_CORRUPT', 'Cannot read');
  }
  const output = multiplex(work, NO_KEEPALIVE);
  await output.next();
  await later(5);
  await assert.rejects(output.next(), { code: 'PACK_CORRUPT' });
});

test('multiplex() ends the work when its consumer stops', async () => {
  let cleaned = false;
  async function* work(_: BandTwo, signal: AbortSignal) {
    try {
      yield ascii('data');
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    } finally {
      cleaned = true;
    }
  }
  for await (const chunk of multiplex(work, NO_KEEPALIVE)) {
    assert.equal(decodeLatin1(chunk), '0009\x01data');
    break;
  }
  assert.equal(cleaned, true);
});

test('multiplex() ends the work when its signal fires', async () => {
  const controller = new AbortController();
  async function* work(_: BandTwo, signal: AbortSignal) {
    yield ascii('data');
    await new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }
  const output = multiplex(work, { keepaliveMs: 0, signal: controller.signal });
  await output.next();
  const pending = output.next();
  controller.abort(new GitError('ABORTED', 'gone'));
  await assert.rejects(pending, { code: 'ABORTED', message: 'gone' });
});

test('multiplex() holds a bounded amount of text', async () => {
  async function* work(bandTwo: BandTwo) {
    for (let i = 0; i < 1000; i++) bandTwo.write('x'.repeat(1000));
    yield ascii('data');
  }
  const wire = await drain(multiplex(work, NO_KEEPALIVE));
  assert.ok(wire.length < 66_000, `${wire.length} bytes`);
});

test('band 1 is the work’s own bytes, whatever is said beside it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.string({ maxLength: 5 }))),
      fc.integer({ min: 6, max: 30 }),
      async (steps, maxPacketBytes) => {
        async function* work(bandTwo: BandTwo) {
          for (const [chunk, text] of steps) {
            bandTwo.write(text);
            yield chunk;
          }
        }
        const bands = new Map<number, Uint8Array[]>([
          [1, []],
          [2, []],
        ]);
        for (const packet of readPackets(await drain(multiplex(work, { keepaliveMs: 0, maxPacketBytes })))) {
          assert.ok(packet.kind === 'data' && packet.payload.length + 4 <= maxPacketBytes);
          bands.get(packet.payload[0] as number)?.push(packet.payload.subarray(1));
        }
        assert.deepEqual(concatBytes(...bands.get(1)!), concatBytes(...steps.map(([chunk]) => chunk)));
        assert.equal(
          new TextDecoder().decode(concatBytes(...bands.get(2)!)),
          new TextDecoder().decode(new TextEncoder().encode(steps.map(([, text]) => text).join(''))),
        );
      },
    ),
  );
});
