import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { parseGitConfig } from '../../../src/repository/git-config.ts';
import {
  configuredUnpackLimit,
  effectiveLimits,
  effectivePolicy,
} from '../../../src/repository/push/push-config.ts';
import type { RefPolicy } from '../../../src/repository/push/ref-policy.ts';

const NOTHING_DENIED = {
  denyDeletes: false,
  denyNonFastForwards: false,
  denyDeleteCurrent: true,
  denyCurrentBranch: false,
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
    ['[receive]\n\tdenyDeleteCurrent = ignore', {}, { denyDeleteCurrent: false }],
    ['[receive]\n\tdenyDeleteCurrent = warn', {}, { denyDeleteCurrent: false }],
    ['[receive]\n\tdenyDeleteCurrent = refuse', {}, {}],
    ['[receive]\n\tdenyDeleteCurrent = ignore', { denyDeleteCurrent: true }, {}],
    ['[core]\n\tbare = true', {}, {}],
    ['[core]\n\tbare = false', {}, { denyCurrentBranch: true }],
    ['[core]\n\tbare = false\n[receive]\n\tdenyCurrentBranch = ignore', {}, {}],
    [
      '[core]\n\tbare = false\n[receive]\n\tdenyCurrentBranch = updateInstead',
      {},
      { denyCurrentBranch: true },
    ],
  ] as readonly (readonly [string, RefPolicy, RefPolicy])[]) {
    test(`${JSON.stringify(text)} and ${JSON.stringify(policy)}: ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(effectivePolicy(policy, parseGitConfig(text)), { ...NOTHING_DENIED, ...expected });
    });
  }

  test('without a configuration is what the application wants', () => {
    assert.deepEqual(effectivePolicy({ denyDeletes: true }, undefined), { denyDeletes: true });
  });
});

test('the unpack limit and the size of packs are read as git reads them', () => {
  const config = parseGitConfig('[transfer]\n\tunpackLimit = 7\n[receive]\n\tmaxInputSize = 2k\n');
  assert.equal(configuredUnpackLimit(config), 7);
  assert.equal(configuredUnpackLimit(parseGitConfig('[receive]\n\tunpackLimit = 0')), 0);
  assert.equal(effectiveLimits(DEFAULT_LIMITS, config).maxPackBytes, 2048);
  assert.equal(effectiveLimits({ ...DEFAULT_LIMITS, maxPackBytes: 10 }, config).maxPackBytes, 10);
});
