import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeText } from '../../../src/core/bytes.ts';
import { AnswerBody } from '../../../src/transport/http/answer-body.ts';
import { drain } from '../../support/streams.ts';

function owner() {
  const log: string[] = [];
  return {
    log,
    cleanUp: async () => void log.push('cleanUp'),
    onLateError: (error: unknown) => void log.push(`late ${(error as Error).message}`),
  };
}

async function* output(...steps: readonly (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const step of steps) {
    if (step instanceof Error) throw step;
    yield encodeText(step);
  }
}

test('an answer gives every chunk, the first included, then cleans up once', async () => {
  const who = owner();
  const body = await AnswerBody.begin(output('a', 'b'), who);
  assert.deepEqual(who.log, []);
  assert.equal(Buffer.from(await drain(body)).toString(), 'ab');
  await body.return();
  assert.deepEqual(who.log, ['cleanUp']);
});

test('an answer without bytes is cleaned up at once', async () => {
  const who = owner();
  const body = await AnswerBody.begin(output(), who);
  assert.deepEqual(who.log, ['cleanUp']);
  assert.equal((await drain(body)).length, 0);
});

test('a failure before the first byte is thrown by begin(), and cleaned up', async () => {
  const who = owner();
  await assert.rejects(AnswerBody.begin(output(new Error('early')), who), /early/);
  assert.deepEqual(who.log, ['cleanUp']);
});

test('a later failure is reported, cleaned up, and thrown to the carrier', async () => {
  const who = owner();
  const body = await AnswerBody.begin(output('a', new Error('middle')), who);
  await assert.rejects(drain(body), /middle/);
  assert.deepEqual(who.log, ['late middle', 'cleanUp']);
});

test('an answer that nobody reads is ended and cleaned up', async () => {
  const who = owner();
  let ended = false;
  const body = await AnswerBody.begin(
    (async function* () {
      try {
        yield encodeText('a');
        yield encodeText('b');
      } finally {
        ended = true;
      }
    })(),
    who,
  );
  await body.return();
  assert.ok(ended);
  assert.deepEqual(who.log, ['cleanUp']);
  assert.deepEqual(await body.next(), { done: true, value: undefined });
});
