import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { parseGitConfig } from '../../../src/repository/git-config.ts';
import {
  configuredUnpackLimit,
  effectiveLimits,
  effectivePolicy,
} from '../../../src/repository/push/push-config.ts';
import type { EffectiveRefPolicy, RefPolicy } from '../../../src/repository/push/ref-policy.ts';

const NOTHING_SAID: EffectiveRefPolicy = {
  denyDeletes: false,
  denyNonFastForwards: false,
  denyDeleteCurrent: 'unconfigured',
  denyCurrentBranch: false,
  checkedOut: 'unconfigured',
};

describe('effectivePolicy()', () => {
  for (const [text, policy, expected] of [
    ['', {}, {}],
    ['[receive]\n\tdenyDeletes', {}, { denyDeletes: true }],
    ['[receive]\n\tdenyNonFastForwards = true', {}, { denyNonFastForwards: true }],
    [
      '[receive]\n\tdenyNonFastForwards = true',
      { denyNonFastForwards: false },
      { denyNonFastForwards: true },
    ],
    ['[receive]\n\tdenyNonFastForwards = no', { denyNonFastForwards: true }, { denyNonFastForwards: true }],
    ['[receive]\n\tdenyDeleteCurrent = ignore', {}, { denyDeleteCurrent: 'ignore' }],
    ['[receive]\n\tdenyDeleteCurrent = Warn', {}, { denyDeleteCurrent: 'warn' }],
    ['[receive]\n\tdenyDeleteCurrent = true', {}, { denyDeleteCurrent: 'refuse' }],
    ['[receive]\n\tdenyDeleteCurrent = ignore', { denyDeleteCurrent: true }, { denyDeleteCurrent: 'refuse' }],
    ['', { denyDeleteCurrent: false }, { denyDeleteCurrent: 'ignore' }],
    ['', { denyCurrentBranch: true }, { denyCurrentBranch: true }],
    ['[receive]\n\tdenyCurrentBranch = no', {}, { checkedOut: 'ignore' }],
    ['[receive]\n\tdenyCurrentBranch = warn', {}, { checkedOut: 'warn' }],
    ['[receive]\n\tdenyCurrentBranch = updateInstead', {}, { checkedOut: 'updateInstead' }],
  ] as readonly (readonly [string, RefPolicy, Partial<EffectiveRefPolicy>])[]) {
    test(`${JSON.stringify(text)} and ${JSON.stringify(policy)}: ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(effectivePolicy(policy, parseGitConfig(text)), { ...NOTHING_SAID, ...expected });
    });
  }

  test('without a configuration is what the application wants', () => {
    assert.deepEqual(effectivePolicy({ denyDeletes: true }, undefined), {
      ...NOTHING_SAID,
      denyDeletes: true,
      denyDeleteCurrent: 'refuse',
      checkedOut: 'refuse',
    });
  });
});

test('the unpack limit and the size of packs are read as git reads them', () => {
  const config = parseGitConfig('[transfer]\n\tunpackLimit = 7\n[receive]\n\tmaxInputSize = 2k\n');
  assert.equal(configuredUnpackLimit(config), 7);
  assert.equal(configuredUnpackLimit(parseGitConfig('[receive]\n\tunpackLimit = 0')), 0);
  assert.equal(
    configuredUnpackLimit(parseGitConfig('[receive]\n\tunpackLimit = -1\n[transfer]\n\tunpackLimit = 3')),
    3,
  );
  assert.equal(effectiveLimits(DEFAULT_LIMITS, config).maxPackBytes, 2048);
  assert.equal(effectiveLimits({ ...DEFAULT_LIMITS, maxPackBytes: 10 }, config).maxPackBytes, 10);
});
