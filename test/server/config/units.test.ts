import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseDurationMs, parseSizeBytes } from '../../../src/server/config/units.ts';

for (const [text, bytes] of [
  ['0', 0],
  ['500', 500],
  ['10k', 10_240],
  ['2m', 2_097_152],
  ['2G', 2_147_483_648],
  ['4t', 4_398_046_511_104],
  ['', undefined],
  ['m', undefined],
  ['-1', undefined],
  ['1.5g', undefined],
  ['1 g', undefined],
  ['1gb', undefined],
  ['9007199254740993', undefined],
  ['99999999t', undefined],
] as const) {
  test(`parseSizeBytes() reads ${JSON.stringify(text)} as ${bytes}`, () => {
    assert.equal(parseSizeBytes(text), bytes);
  });
}

for (const [text, ms] of [
  ['0', 0],
  ['250', 250],
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
  ['1M', undefined],
  ['1w', undefined],
  ['s', undefined],
  ['-1s', undefined],
  ['1e3', undefined],
] as const) {
  test(`parseDurationMs() reads ${JSON.stringify(text)} as ${ms}`, () => {
    assert.equal(parseDurationMs(text), ms);
  });
}

test('any text is a whole number that can be counted exactly, or nothing', () => {
  const anyText = fc.oneof(fc.string(), fc.stringMatching(/^\d{0,18}[a-zA-Z]{0,2}$/));
  fc.assert(
    fc.property(anyText, (text) => {
      for (const amount of [parseSizeBytes(text), parseDurationMs(text)]) {
        assert.ok(amount === undefined || (Number.isSafeInteger(amount) && amount >= 0));
      }
    }),
  );
});
