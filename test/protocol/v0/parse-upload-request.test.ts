import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '../../../src/core/limits.ts';
import { SHA1, SHA256 } from '../../../src/core/object-id.ts';
import { readFilterRules } from '../../../src/protocol/filter-rules.ts';
import { type UploadRequest, UploadRequestParser } from '../../../src/protocol/v0/parse-upload-request.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

interface Rules {
  readonly limits?: Partial<Limits>;
  readonly allowFilter?: boolean;
  readonly format?: typeof SHA1;
}

function parse(lines: readonly string[], rules: Rules = {}): UploadRequest {
  const parser = new UploadRequestParser({
    format: rules.format ?? SHA1,
    limits: { ...DEFAULT_LIMITS, ...rules.limits },
    allowFilter: rules.allowFilter ?? true,
    filterRules: readFilterRules([]),
  });
  for (const line of lines) parser.read(line);
  return parser.finish();
}

const NO_DEPTH = { clientShallow: new Set(), depth: 0, since: undefined, not: [], relative: false };
const NOTHING = {
  wants: [],
  depth: NO_DEPTH,
  filter: undefined,
  multiAck: 'none',
  noDone: false,
  bandPacketBytes: 0,
  thinPack: false,
  ofsDelta: false,
  noProgress: false,
  includeTag: false,
  agent: undefined,
  sessionId: undefined,
};

for (const [lines, expected] of [
  [[], {}],
  [[`want ${A}`, `want ${B}`, `want ${A}`], { wants: [A, B] }],
  [[`want ${A} multi_ack`], { wants: [A], multiAck: 'multi_ack' }],
  [[`want ${A} multi_ack multi_ack_detailed`], { wants: [A], multiAck: 'multi_ack_detailed' }],
  [[`want ${A} side-band`], { wants: [A], bandPacketBytes: 1000 }],
  [[`want ${A} side-band side-band-64k`], { wants: [A], bandPacketBytes: 65520 }],
  [
    [`want ${A} no-done thin-pack ofs-delta no-progress include-tag agent=git/2 unknown`],
    {
      wants: [A],
      noDone: true,
      thinPack: true,
      ofsDelta: true,
      noProgress: true,
      includeTag: true,
      agent: 'git/2',
    },
  ],
  [[`want ${A} object-format=sha1`], { wants: [A] }],
  [[`want ${A} ofs-delta`, `want ${B} thin-pack`], { wants: [A, B], ofsDelta: true, thinPack: true }],
  [
    [`want ${A} deepen-relative`, `shallow ${B}`, 'deepen 2'],
    { wants: [A], depth: { ...NO_DEPTH, clientShallow: new Set([B]), depth: 2, relative: true } },
  ],
  [[`want ${A} filter`, 'filter tree:0'], { wants: [A], filter: { kind: 'tree', depth: 0 } }],
] as const) {
  test(`an upload request: ${lines.join(', ').replaceAll(A, 'A').replaceAll(B, 'B') || 'nothing'}`, () => {
    assert.deepEqual(parse(lines), { ...NOTHING, ...expected });
  });
}

for (const [lines, message] of [
  [['want'], "upload-pack: protocol error, expected to get object ID, not 'want'"],
  [['want xyz'], "upload-pack: protocol error, expected to get object ID, not 'want xyz'"],
  [[`want ${A}x`], `upload-pack: protocol error, expected to get object ID, not 'want ${A}x'`],
  [['done'], "upload-pack: protocol error, expected to get object ID, not 'done'"],
  [[`want ${A}`, 'filter blob:none'], 'upload-pack: filtering capability not negotiated'],
  [[`want ${A} object-format=sha256`], 'mismatched object format: server sha1; client sha256'],
  [[`want ${A}`, 'deepen 0'], 'Invalid deepen: deepen 0'],
] as const) {
  test(`an upload request is refused: ${lines.join(', ').replaceAll(A, 'A')}`, () => {
    assert.throws(() => parse(lines), { code: 'PROTOCOL_VIOLATION', message });
  });
}

test('the filter capability counts for nothing where filters are not allowed', () => {
  assert.throws(() => parse([`want ${A} filter`, 'filter blob:none'], { allowFilter: false }), {
    message: 'upload-pack: filtering capability not negotiated',
  });
});

test('ids are as long as the repository has them', () => {
  const id = 'c'.repeat(64);
  assert.deepEqual(parse([`want ${id} object-format=sha256`], { format: SHA256 }).wants, [id]);
  assert.throws(() => parse([`want ${A}`], { format: SHA256 }), { code: 'PROTOCOL_VIOLATION' });
});

test('wants have a limit', () => {
  const lines = ['1', '2', '3'].map((digit) => `want ${digit.repeat(40)}`);
  parse(lines.slice(0, 2), { limits: { maxWants: 2 } });
  assert.throws(() => parse(lines, { limits: { maxWants: 2 } }), { code: 'LIMIT_EXCEEDED' });
});
