/** Filters that a repository's configuration allows and denies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFilterAllowed, readFilterRules } from '../../src/protocol/filter-rules.ts';
import { parseGitConfig } from '../../src/repository/git-config.ts';
import { parseObjectFilter } from '../../src/repository/object-filter.ts';

const NONE_BUT_TREES = '[uploadpackfilter] allow = false\n[uploadpackfilter "tree"] ';

for (const [config, filter, refusal] of [
  ['', 'combine:tree:1+blob:none', undefined],
  ['[uploadpackfilter "blob:none"] allow = false', 'blob:none', "filter 'blob:none' not supported"],
  ['[uploadpackfilter "blob:none"] allow = false', 'blob:limit=1k', undefined],
  ['[uploadpackfilter] allow = false', 'object:type=tag', "filter 'object:type' not supported"],
  [`${NONE_BUT_TREES}allow`, 'tree:3', undefined],
  [`${NONE_BUT_TREES}allow`, 'combine:tree:3', "filter 'combine' not supported"],
  [`${NONE_BUT_TREES}maxDepth = 2`, 'tree:2', undefined],
  [`${NONE_BUT_TREES}maxDepth = 2`, 'tree:3', 'tree filter allows max depth 2, but got 3'],
  [
    '[uploadpackfilter "blob:limit"] allow = no',
    'combine:tree:1+combine:blob:limit=3',
    "filter 'blob:limit' not supported",
  ],
] as const) {
  test(`${config || 'no rules'}: ${filter} is ${refusal ?? 'served'}`, () => {
    const check = (): void =>
      checkFilterAllowed(parseObjectFilter(filter), readFilterRules(parseGitConfig(config).entries));
    if (refusal === undefined) check();
    else assert.throws(check, { code: 'PROTOCOL_VIOLATION', message: refusal });
  });
}

for (const text of ['[uploadpackfilter "tree"] maxDepth', '[uploadpackfilter "tree"] maxDepth = -1']) {
  test(`a bad bound is refused: ${text}`, () => {
    assert.throws(() => readFilterRules(parseGitConfig(text).entries), { code: 'REPOSITORY_INVALID' });
  });
}
