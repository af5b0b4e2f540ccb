import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { SHA1, SHA256 } from '../../../src/core/object-id.ts';
import {
  createNonce,
  judgeNonce,
  type NonceRules,
} from '../../../src/protocol/receive-pack/certificate-nonce.ts';
import { git, scratchDirectory } from '../../support/git.ts';

const RULES: NonceRules = {
  runtime: nodeRuntime,
  format: SHA1,
  seed: 'sekrit',
  scope: '/srv/git/x.git',
  slopSeconds: 60,
};
const NOW = 1_800_000_000;

describe('createNonce()', () => {
  for (const [name, format] of [
    ['sha1', SHA1],
    ['sha256', SHA256],
  ] as const) {
    test(`makes the nonce that git makes of the same second, ${name}`, async (context) => {
      const scratch = await scratchDirectory(context);
      const path = join(scratch, 'x.git');
      git('/', 'init', '-q', '--bare', `--object-format=${name}`, path);
      git(path, 'config', 'receive.certNonceSeed', 'sekrit');
      const shown = git(scratch, 'receive-pack', '--http-backend-info-refs', path);
      const nonce = / push-cert=(\S+)/.exec(shown)?.[1] ?? '';
      assert.equal(createNonce({ ...RULES, format, scope: path }, Number.parseInt(nonce, 10)), nonce);
    });
  }
});

describe('judgeNonce()', () => {
  const given = createNonce(RULES, NOW);
  const old = createNonce(RULES, NOW - 61);
  for (const [title, nonce, asked, rules, status, slopSeconds] of [
    ['the one given out', given, given, undefined, 'OK', 0],
    ['none', undefined, given, RULES, 'MISSING', 0],
    ['one nobody gave out', given, undefined, undefined, 'UNSOLICITED', 0],
    ['another one over a connection', createNonce(RULES, NOW - 1), given, undefined, 'BAD', 0],
    ['one of a moment ago, without a connection', createNonce(RULES, NOW - 60), given, RULES, 'OK', 0],
    ['one of too long ago', old, given, RULES, 'SLOP', 61],
    ['one of too far ahead', createNonce(RULES, NOW + 61), given, RULES, 'SLOP', -61],
    ['an old one where none may be old', old, given, { ...RULES, slopSeconds: 0 }, 'SLOP', 61],
    ['one by another secret', createNonce({ ...RULES, seed: 'x' }, NOW - 1), given, RULES, 'BAD', 0],
    ['one of another repository', createNonce({ ...RULES, scope: '/y' }, NOW - 1), given, RULES, 'BAD', 0],
    ['no nonce at all', 'nonce', given, RULES, 'BAD', 0],
    ['a time with a leading zero', `0${old}`, given, RULES, 'BAD', 0],
  ] as const) {
    test(`finds ${title} ${status}`, () => {
      const judged = judgeNonce(nonce, asked, rules);
      assert.deepEqual([judged.status, judged.slopSeconds], [status, slopSeconds]);
    });
  }

  test('takes one within the slop for the one given out', () => {
    const recent = createNonce(RULES, NOW - 5);
    assert.equal(judgeNonce(recent, given, RULES).nonce, recent);
  });

  test('believes no nonce that was changed', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: old.length - 1 }),
        fc.constantFrom(...'0123456789abcdef-'),
        (at, character) => {
          const changed = old.slice(0, at) + character + old.slice(at + 1);
          fc.pre(changed !== old);
          assert.equal(judgeNonce(changed, given, RULES).status, 'BAD');
        },
      ),
    );
  });
});
