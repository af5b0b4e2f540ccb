import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SHA1 } from '../../src/core/object-id.ts';
import {
  beginsReflog,
  formatIdentity,
  formatReflogEntry,
  parseReflog,
} from '../../src/refs/reflog-format.ts';

const [A, B] = ['a'.repeat(40), 'b'.repeat(40)];
const thor = { name: 'A U Thor', email: 'author@example.com', timeSeconds: 1112911993, zoneMinutes: 0 };

for (const [zoneMinutes, zone] of [
  [0, '+0000'],
  [60, '+0100'],
  [330, '+0530'],
  [-450, '-0730'],
  [-30, '-0030'],
] as const) {
  test(`${zoneMinutes} minutes east of UTC are ${zone}`, () => {
    assert.equal(
      formatIdentity({ ...thor, zoneMinutes }),
      `A U Thor <author@example.com> 1112911993 ${zone}`,
    );
  });
}

test('what would break the line is left out of an identity', () => {
  const identity = formatIdentity({ ...thor, name: ' A <U>\n Thor\0 ', email: 'a@b>\t' });
  assert.equal(identity, 'A U Thor <a@b> 1112911993 +0000');
});

for (const [name, branches] of [
  ['HEAD', true],
  ['refs/heads/main', true],
  ['refs/remotes/origin/main', true],
  ['refs/notes/commits', true],
  ['refs/tags/v1', false],
  ['ORIG_HEAD', false],
] as const) {
  test(`core.logAllRefUpdates=true ${branches ? 'begins' : 'does not begin'} a log of ${name}`, () => {
    assert.equal(beginsReflog(name, 'branches'), branches);
    assert.equal(beginsReflog(name, 'always'), true);
    assert.equal(beginsReflog(name, 'never'), false);
  });
}

test('an entry without message has no tab', () => {
  const entry = { oldId: A, newId: B, identity: formatIdentity(thor), message: ' \n' };
  assert.equal(formatReflogEntry(entry), `${A} ${B} A U Thor <author@example.com> 1112911993 +0000\n`);
});

test('lines that are no entries are passed over', () => {
  const line = `${A} ${B} A U Thor <author@example.com> 1112911993 +0000\tpush\n`;
  const broken = [`${A} ${B}\n`, `${A} ${B} nobody\tpush\n`, `${A}${line}`, '\n', line.slice(1)];
  assert.equal(parseReflog([line, ...broken, line].join(''), SHA1).length, 2);
});

test('parseReflog() reads what formatReflogEntry() wrote', () => {
  const anyEntry = fc.record({
    oldId: fc.constantFrom(A, B),
    newId: fc.constantFrom(A, B),
    identity: fc
      .record({
        name: fc.string({ unit: 'binary' }),
        email: fc.string(),
        timeSeconds: fc.nat(),
        zoneMinutes: fc.integer({ min: -720, max: 840 }),
      })
      .map(formatIdentity),
    message: fc.string({ unit: 'binary' }),
  });
  fc.assert(
    fc.property(fc.array(anyEntry), (entries) => {
      const expected = entries.map((entry) => ({
        ...entry,
        message: entry.message.replace(/\s+/g, ' ').trim(),
      }));
      assert.deepEqual(parseReflog(entries.map(formatReflogEntry).join(''), SHA1), expected);
    }),
  );
});
