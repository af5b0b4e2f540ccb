import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GitError } from '../../src/core/errors.ts';
import { MAX_INPUT_MS, replay } from './campaign.ts';

/** Milliseconds of the processor, whoever else wants it. */
function work(ms: number): void {
  const before = process.cpuUsage();
  const spentMs = (): number => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  while (spentMs() < ms);
}

const refuse = (): never => {
  throw new GitError('PROTOCOL_VIOLATION', 'not read');
};

for (const [what, read, failure] of [
  ['gives a value', () => 1, undefined],
  ['gives a GitError', refuse, undefined],
  ['gives another error', () => assert.fail('a bug'), /a bug/],
  ['works for too long', () => work(MAX_INPUT_MS * 1.5), /^time: /],
  ['waits for the processor', () => new Promise((r) => setTimeout(r, MAX_INPUT_MS * 1.2)), undefined],
] as const) {
  test(`a parser that ${what} is ${failure === undefined ? 'no failure' : 'a failure'}`, async () => {
    const seen = await replay({ name: 'tried', corpus: [], read }, new Uint8Array(3));
    if (failure === undefined) assert.equal(seen, undefined);
    else assert.match(seen ?? '', failure);
  });
}
