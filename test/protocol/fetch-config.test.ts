/** What repository and application say about fetches, and which of them holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { fetchSettings } from '../../src/protocol/fetch-config.ts';
import type { WantPolicy } from '../../src/protocol/fetch-context.ts';
import type { ProtocolVersion } from '../../src/protocol/service.ts';
import { parseGitConfig } from '../../src/repository/git-config.ts';

const limits = DEFAULT_LIMITS;
const uploadpack = (...lines: readonly string[]) => parseGitConfig(['[uploadpack]', ...lines].join('\n'));

for (const [lines, v0, v2] of [
  [[], 'reachable', 'reachable'],
  [['allowTipSHA1InWant'], 'advertised', 'reachable'],
  [['allowTipSHA1InWant = false'], 'advertised', 'reachable'],
  [['allowReachableSHA1InWant'], 'reachable', 'reachable'],
  [['allowAnySHA1InWant'], 'any', 'any'],
  [['allowAnySHA1InWant = false'], 'advertised', 'reachable'],
] as const) {
  test(`what may be wanted where the repository says: ${lines.join(', ') || 'nothing'}`, () => {
    const config = uploadpack(...lines);
    assert.equal(fetchSettings(config, { limits, protocolVersion: 0 }).wantPolicy, v0);
    assert.equal(fetchSettings(config, { limits, protocolVersion: 2 }).wantPolicy, v2);
  });
}

test('hidden tips may be wanted where the repository says so, but not those that the application hides', () => {
  const hiding = ['hideRefs = refs/secret'];
  const choices = { limits, protocolVersion: 0, hiddenRefs: ['refs/mine'] } as const;
  assert.deepEqual(fetchSettings(uploadpack(...hiding), choices).unwantedRefs, ['refs/secret', 'refs/mine']);
  const config = uploadpack(...hiding, 'allowTipSHA1InWant');
  assert.deepEqual(fetchSettings(config, choices).unwantedRefs, ['refs/mine']);
  const strict = { ...choices, wantPolicy: 'reachable' } as const;
  assert.deepEqual(fetchSettings(config, strict).unwantedRefs, ['refs/secret', 'refs/mine']);
});

for (const [said, chosen, defaults, expected] of [
  [undefined, undefined, 'packwire', true],
  [undefined, undefined, 'git', false],
  [undefined, true, 'git', true],
  ['true', undefined, 'git', true],
  ['true', false, 'packwire', false],
  ['false', true, 'packwire', false],
] as const) {
  test(`filters: repository ${said}, application ${chosen}, defaults of ${defaults}: ${expected}`, () => {
    const config = said === undefined ? undefined : uploadpack(`allowFilter = ${said}`);
    const choices = { limits, protocolVersion: 2, allowFilter: chosen, defaults } as const;
    assert.equal(fetchSettings(config, choices).allowFilter, expected);
  });
}

test('uploadpack.keepAlive counts seconds, and 0 sends none', () => {
  const keepalive = (line: string) =>
    fetchSettings(uploadpack(line), { limits, protocolVersion: 2 }).limits.keepaliveMs;
  assert.equal(keepalive('keepAlive = 2'), 2000);
  assert.equal(keepalive('keepAlive = 0'), 0);
});

for (const text of [
  '[lsrefs] unborn = maybe',
  '[uploadpack] allowFilter = maybe',
  '[transfer] advertiseSID = x',
]) {
  test(`a bad value is refused: ${text}`, () => {
    assert.throws(() => fetchSettings(parseGitConfig(text), { limits, protocolVersion: 2 }), {
      code: 'REPOSITORY_INVALID',
    });
  });
}

test('nothing that a repository says widens what the application allows', () => {
  const order: readonly WantPolicy[] = ['advertised', 'reachable', 'any'];
  const key = fc.constantFrom('allowTip', 'allowReachable', 'allowAny');
  const line = fc.tuple(key, fc.boolean()).map(([name, value]) => `${name}SHA1InWant = ${value}`);
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 4 }),
      fc.constantFrom(...order),
      fc.constantFrom<ProtocolVersion>(0, 1, 2),
      (lines, wantPolicy, protocolVersion) => {
        const settings = fetchSettings(uploadpack(...lines), { limits, protocolVersion, wantPolicy });
        assert.ok(order.indexOf(settings.wantPolicy) <= order.indexOf(wantPolicy));
        assert.equal(settings.unwantedRefs, settings.hiddenRefs);
      },
    ),
  );
});
