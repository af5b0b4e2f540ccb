import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHiddenRef } from '../../src/protocol/hidden-refs.ts';

for (const [name, patterns, hidden] of [
  ['refs/heads/main', [], false],
  ['refs/pull/1/head', ['refs/pull'], true],
  ['refs/pull/1/head', ['refs/pull/'], true],
  ['refs/pull', ['refs/pull'], true],
  ['refs/pulls/1', ['refs/pull'], false],
  ['refs/pull/1/head', ['refs/pull', '!refs/pull/1'], false],
  ['refs/pull/1/head', ['!refs/pull/1', 'refs/pull'], true],
  ['refs/pull/2/head', ['refs/pull', '!refs/pull/1'], true],
  ['refs/pull/1/head', ['^refs/pull'], true],
  ['refs/pull/1/head', ['refs/pull', '!^refs/pull'], false],
  ['HEAD', ['HEAD'], true],
] as const) {
  test(`${name} is ${hidden ? 'hidden' : 'shown'} with ${JSON.stringify(patterns)}`, () => {
    assert.equal(isHiddenRef(name, patterns), hidden);
  });
}
