import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { formatAccess } from '../../src/server/access-log.ts';
import { logText } from '../../src/server/log-text.ts';

/** Ends of lines, escape sequences in 7 and 8 bits, and what turns text round. */
const HOSTILE = [
  '\n',
  '\r',
  '\x1b[2J',
  '\x9b2J',
  '\x07',
  '\x85',
  '\u2028',
  '\u2029',
  '\u202e',
  '\u2066',
  '\0',
  '\ud800',
];

test('a log line is one line of harmless text, whatever strangers are called or ask for', () => {
  for (const hostile of HOSTILE) {
    assert.equal(logText(`a${hostile[0]}b`), 'a?b');
    const summary = {
      method: 'GET',
      target: `/a${hostile}b`,
      status: 404,
      sentBytes: 0,
      durationMs: 1,
      complete: true,
    };
    const line = formatAccess({ ...summary, client: {} } as Parameters<typeof formatAccess>[0]);
    assert.match(line, /^[\x20-\x7e]+$/);
  }
  assert.equal(logText('refs/heads/größe 日本'), 'refs/heads/größe 日本');
});

test('any text becomes one line of bounded length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
      const line = logText(text);
      assert.ok(line.length <= 1_001);
      assert.doesNotMatch(line, /[\p{Cc}\p{Zl}\p{Zp}]/u);
    }),
  );
});
