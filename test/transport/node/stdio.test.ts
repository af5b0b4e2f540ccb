import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import type { ByteStream } from '../../../src/core/byte-stream.ts';
import { encodeText } from '../../../src/core/bytes.ts';
import { serveOverPipes } from '../../../src/transport/node/stdio.ts';
import { drain } from '../../support/streams.ts';

const shout = async function* (request: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const chunk of request) yield encodeText(Buffer.from(chunk).toString().toUpperCase());
};

test('a service runs between two pipes', async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  const served = serveOverPipes(shout, { input, output }).then(() => output.end());
  input.write('hello ');
  input.end('world');
  assert.equal(Buffer.from(await drain(output as ByteStream)).toString(), 'HELLO WORLD');
  await served;
});

test('a service that ends first lets the input go', async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  output.resume();
  await serveOverPipes(
    async function* () {
      yield encodeText('done');
    },
    { input, output },
  );
  assert.ok(input.destroyed);
});

test('a reader that goes away ends the service', async () => {
  const input = new PassThrough();
  const output = new PassThrough({ highWaterMark: 1 });
  let ended = false;
  const served = serveOverPipes(
    async function* (_, signal) {
      try {
        for (;;) yield encodeText('more');
      } finally {
        ended = true;
        assert.ok(signal.aborted);
      }
    },
    { input, output },
  );
  setImmediate(() => output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })));
  await assert.rejects(served, { code: 'ABORTED' });
  assert.ok(ended);
});

test('a peer that is silent for longer than the timeout is cut', async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  await assert.rejects(serveOverPipes(shout, { input, output }, { timeoutSeconds: 0.05 }), {
    code: 'ABORTED',
  });
});
