import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '../../../src/core/bytes.ts';
import { SHA1, SHA256 } from '../../../src/core/object-id.ts';
import { encodeRefAdvertisement, type RefAdvertisement } from '../../../src/protocol/v0/ref-advertisement.ts';
import { unpackLines } from '../../support/packets.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

const lines = (advertisement: Partial<RefAdvertisement>): string[] =>
  unpackLines(
    concatBytes(
      ...encodeRefAdvertisement({
        format: SHA1,
        refs: [],
        capabilities: ['ofs-delta', 'agent=us/1'],
        version: 0,
        ...advertisement,
      }),
    ),
  );

test('capabilities follow the first ref, a peeled value its tag', () => {
  const refs = [
    { name: 'HEAD', id: A },
    { name: 'refs/heads/main', id: A },
    { name: 'refs/tags/v1', id: B, peeled: A },
  ];
  assert.deepEqual(lines({ refs }), [
    `${A} HEAD\\0ofs-delta agent=us/1`,
    `${A} refs/heads/main`,
    `${B} refs/tags/v1`,
    `${A} refs/tags/v1^{}`,
    '0000',
  ]);
});

test('without refs the capabilities have a line of their own', () => {
  assert.deepEqual(lines({}), [`${'0'.repeat(40)} capabilities^{}\\0ofs-delta agent=us/1`, '0000']);
  assert.deepEqual(lines({ format: SHA256, capabilities: [] }), [
    `${'0'.repeat(64)} capabilities^{}\\0`,
    '0000',
  ]);
});

test('version 1 says so first', () => {
  assert.deepEqual(lines({ version: 1 }).slice(0, 1), ['version 1']);
});

test('a shallow repository says where its history ends, after the refs', () => {
  assert.deepEqual(lines({ refs: [{ name: 'HEAD', id: A }], shallow: [A, B] }).slice(1), [
    `shallow ${A}`,
    `shallow ${B}`,
    '0000',
  ]);
});

test('50,000 refs come in chunks of about 64 KiB', () => {
  const refs = Array.from({ length: 50_000 }, (_, i) => ({ name: `refs/heads/branch-${i}`, id: A }));
  const chunks = [...encodeRefAdvertisement({ format: SHA1, refs, capabilities: [], version: 0 })];
  assert.equal(unpackLines(concatBytes(...chunks)).length, 50_001);
  for (const chunk of chunks) assert.ok(chunk.length < 70_000, `${chunk.length}`);
  for (const chunk of chunks.slice(0, -1)) assert.ok(chunk.length >= 65_536);
});
