import assert from 'node:assert/strict';
import test from 'node:test';
import { GitError } from '../../../src/core/errors.ts';
import { errorAnswer } from '../../../src/transport/http/answer.ts';

const sentence = (body: unknown) => new TextDecoder().decode(body as Uint8Array);

test('an overloaded server says so, and when to come again', () => {
  for (const [code, status] of [
    ['OVERLOADED', 503],
    ['RATE_LIMITED', 429],
  ] as const) {
    const answer = errorAnswer(new GitError(code, 'Too many clones', { retryAfterSeconds: 30 }));
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get('retry-after'), '30');
    assert.equal(sentence(answer.body), 'Too many clones\n');
  }
});

test('what is wrong inside stays inside', () => {
  const answer = errorAnswer(new GitError('STORAGE_FAILED', 'Cannot write /srv/git/a: the disk is full'));
  assert.equal(answer.status, 500);
  assert.equal(answer.headers.get('retry-after'), null);
  assert.equal(sentence(answer.body), 'Internal server error\n');
});
