import assert from 'node:assert/strict';
import test from 'node:test';
import { onePer } from '../../src/core/one-per.ts';

test('each key has a value of its own, made once', () => {
  const made: string[] = [];
  const kept = onePer((key: { readonly name: string }) => {
    made.push(key.name);
    return { of: key.name };
  });
  const a = { name: 'a' };
  const b = { name: 'b' };
  const alike = { name: 'a' };
  assert.deepEqual(kept(a), { of: 'a' });
  assert.equal(kept(b), kept(b));
  assert.equal(kept(a), kept(a));
  assert.notEqual(kept(a), kept(alike));
  assert.deepEqual(made, ['a', 'b', 'a']);
});

test('two kinds of value do not meet', () => {
  const key = {};
  const listOf = onePer(() => [1]);
  const setOf = onePer(() => new Set([1]));
  assert.deepEqual([listOf(key), setOf(key)], [[1], new Set([1])]);
});
