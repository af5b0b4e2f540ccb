import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Acknowledged, ContendedRef } from './acknowledged.ts';

const REF = 'refs/heads/main';

for (const [what, does, held, broken] of [
  ['an acknowledged push must be there', (p: Acknowledged) => p.acknowledge(REF, 'a'), undefined, 1],
  ['and nothing else', (p: Acknowledged) => p.acknowledge(REF, 'a'), 'b', 1],
  ['it is', (p: Acknowledged) => p.acknowledge(REF, 'a'), 'a', 0],
  ['an unanswered push may be there', () => undefined, 'a', 0],
  ['or not', () => undefined, undefined, 0],
  ['but not something else', () => undefined, 'b', 1],
  ['a refused push must not be there', (p: Acknowledged) => p.refuse(REF, undefined), 'a', 1],
  ['an acknowledged deletion must hold', (p: Acknowledged) => p.acknowledge(REF, undefined), 'a', 1],
] as const) {
  test(`Acknowledged: ${what}`, () => {
    const promises = new Acknowledged();
    promises.attempt(REF, 'a');
    does(promises);
    assert.equal(promises.broken(new Map(held === undefined ? [] : [[REF, held]])).length, broken);
  });
}

for (const [what, pairs, held, broken] of [
  ['nothing was pushed', [], 'a', 0],
  ['pushes follow one another', ['ab', 'bc'], 'c', 0],
  ['whatever the order in which answers came', ['bc', 'ab'], 'c', 0],
  ['the last one was lost', ['ab', 'bc'], 'b', 1],
  ['one in the middle was lost', ['ab', 'cd'], 'd', 2],
  ['two were acknowledged on top of one', ['ab', 'ac'], 'c', 1],
] as const) {
  test(`ContendedRef: ${what}`, () => {
    const contended = new ContendedRef();
    for (const [oldId, newId] of pairs) contended.acknowledge(oldId as string, newId as string);
    assert.equal(contended.broken('a', held).length, broken);
  });
}
