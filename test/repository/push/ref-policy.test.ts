import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SHA1 } from '../../../src/core/object-id.ts';
import type { ObjectKind } from '../../../src/core/object-kind.ts';
import type { ObjectReader } from '../../../src/odb/object-database.ts';
import { effectivePolicy } from '../../../src/repository/push/push-config.ts';
import { refCommand } from '../../../src/repository/push/ref-command.ts';
import {
  checkRefCommand,
  checkRefName,
  printable,
  type RefPolicy,
} from '../../../src/repository/push/ref-policy.ts';

const ZERO = SHA1.zeroId;
const OLD = 'a'.repeat(40);
const NEW = 'b'.repeat(40);
const UNRELATED = 'c'.repeat(40);
const BLOB = 'd'.repeat(40);
const TAG = 'e'.repeat(40);
const ABSENT = 'f'.repeat(40);

describe('checkRefName()', () => {
  for (const name of [
    'refs/heads/main',
    'refs/tags/v1',
    'refs/notes/commits',
    'refs/for/main',
    'refs/a/b/c',
  ]) {
    test(`lets ${name} pass`, () => assert.equal(checkRefName(refCommand(name, ZERO, NEW)), undefined));
  }

  for (const name of [
    '',
    'HEAD',
    'main',
    'config',
    'refs',
    'refs/',
    'refs/heads',
    'refs/heads/',
    'refs/heads/../../config',
    'refs/../config',
    'refs/heads/.hidden',
    'refs/heads/a.lock',
    'refs/heads/a..b',
    'refs/heads/a b',
    'refs/heads/a\u0000b',
    'refs/heads/a\nb',
    'refs/heads/a~1',
    'refs/heads/@{u}',
    '/refs/heads/a',
    'refs//heads/a',
    'Refs/heads/a',
    'objects/info/alternates',
  ]) {
    test(`refuses ${JSON.stringify(name)}`, () => {
      assert.equal(checkRefName(refCommand(name, ZERO, NEW))?.reason, 'funny refname');
    });
  }

  test('a ref directly below refs/ can be deleted, not made', () => {
    assert.equal(checkRefName(refCommand('refs/stash', OLD, ZERO)), undefined);
    assert.equal(checkRefName(refCommand('refs/stash', ZERO, NEW))?.reason, 'funny refname');
    assert.equal(checkRefName(refCommand('refs/../config', OLD, ZERO))?.reason, 'funny refname');
  });
});

const KINDS: Readonly<Record<string, ObjectKind>> = {
  [OLD]: 'commit',
  [NEW]: 'commit',
  [UNRELATED]: 'commit',
  [BLOB]: 'blob',
  [TAG]: 'tag',
};

function check(name: string, oldId: string, newId: string, policy: RefPolicy = {}) {
  const readHeader = (id: string) =>
    KINDS[id] === undefined ? undefined : { kind: KINDS[id], sizeBytes: 1 };
  return checkRefCommand(refCommand(name, oldId, newId), {
    policy: effectivePolicy(policy, undefined),
    reader: { readHeader } as ObjectReader,
    currentBranch: 'refs/heads/main',
    isCheckedOut: false,
    warn: () => undefined,
    isAncestor: async (ancestor, descendant) => ancestor === OLD && descendant === NEW,
  });
}

describe('checkRefCommand()', () => {
  const denyAll = { denyDeletes: true, denyNonFastForwards: true };
  for (const [name, oldId, newId, policy, reason] of [
    ['refs/heads/main', ZERO, NEW, denyAll, undefined],
    ['refs/heads/main', OLD, NEW, denyAll, undefined],
    ['refs/heads/main', OLD, UNRELATED, {}, undefined],
    ['refs/heads/main', OLD, UNRELATED, denyAll, 'non-fast-forward'],
    ['refs/tags/v1', OLD, UNRELATED, denyAll, undefined],
    ['refs/heads/main', ABSENT, NEW, denyAll, 'bad ref'],
    ['refs/heads/main', OLD, ABSENT, {}, 'bad pack'],
    ['refs/tags/v1', ZERO, ABSENT, {}, 'bad pack'],
    ['refs/heads/main', ZERO, BLOB, {}, 'invalid new value provided'],
    ['refs/heads/main', ZERO, TAG, {}, 'invalid new value provided'],
    ['refs/tags/v1', ZERO, TAG, {}, undefined],
    ['refs/tags/v1', ZERO, BLOB, {}, undefined],
    ['refs/heads/topic', OLD, ZERO, {}, undefined],
    ['refs/heads/topic', OLD, ZERO, denyAll, 'deletion prohibited'],
    ['refs/tags/v1', OLD, ZERO, denyAll, undefined],
    ['refs/heads/main', OLD, ZERO, {}, 'deletion of the current branch prohibited'],
    ['refs/heads/main', OLD, ZERO, { denyDeleteCurrent: false }, undefined],
    ['refs/heads/none', ZERO, ZERO, denyAll, undefined],
  ] as const) {
    const change = `${oldId.slice(0, 4)}..${newId.slice(0, 4)}`;
    test(`${name} ${change} with ${JSON.stringify(policy)}: ${reason ?? 'passes'}`, async () => {
      assert.equal((await check(name, oldId, newId, policy))?.reason, reason);
    });
  }
});

test('printable() keeps text on one line and short', () => {
  assert.equal(printable('a\r\n\u001b[31mb\u0000'), 'a???[31mb?');
  assert.equal(printable('x'.repeat(10_000)).length, 301);
});
