import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isGitError } from '../../../src/core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../src/core/limits.ts';
import { SHA1, SHA256 } from '../../../src/core/object-id.ts';
import { readFilterRules } from '../../../src/protocol/filter-rules.ts';
import { type FetchRequest, FetchRequestParser } from '../../../src/protocol/v2/parse-fetch-request.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

interface Rules {
  readonly limits?: Partial<Limits>;
  readonly allowFilter?: boolean;
  readonly allowSidebandAll?: boolean;
  readonly allowPackfileUris?: boolean;
  readonly format?: typeof SHA1;
}

function parse(lines: readonly string[], rules: Rules = {}): FetchRequest {
  const parser = new FetchRequestParser({
    format: rules.format ?? SHA1,
    limits: { ...DEFAULT_LIMITS, ...rules.limits },
    allowFilter: rules.allowFilter ?? true,
    filterRules: readFilterRules([]),
    allowRefInWant: false,
    allowSidebandAll: rules.allowSidebandAll ?? false,
    allowPackfileUris: rules.allowPackfileUris ?? false,
  });
  for (const line of lines) parser.read(line);
  return parser.finish();
}

const NO_DEPTH = { clientShallow: new Set(), depth: 0, since: undefined, not: [], relative: false };
const NOTHING = {
  wants: [],
  haves: [],
  depth: NO_DEPTH,
  filter: undefined,
  done: false,
  waitForDone: false,
  thinPack: false,
  ofsDelta: false,
  noProgress: false,
  includeTag: false,
  wantRefs: [],
  sidebandAll: false,
  uriProtocols: [],
};

for (const [lines, expected] of [
  [[], {}],
  [[`want ${A}`, `want ${B}`, `want ${A}`], { wants: [A, B] }],
  [[`have ${A}`, `have ${B}`, `have ${A}`], { haves: [A, B] }],
  [['done'], { done: true }],
  [['wait-for-done'], { waitForDone: true }],
  [
    ['thin-pack', 'ofs-delta', 'no-progress', 'include-tag'],
    { thinPack: true, ofsDelta: true, noProgress: true, includeTag: true },
  ],
  [[`shallow ${A}`, `shallow ${A}`], { depth: { ...NO_DEPTH, clientShallow: new Set([A]) } }],
  [['deepen 3'], { depth: { ...NO_DEPTH, depth: 3 } }],
  [['deepen 2147483647'], { depth: { ...NO_DEPTH, depth: 2147483647 } }],
  [['deepen 1', 'deepen-relative'], { depth: { ...NO_DEPTH, depth: 1, relative: true } }],
  [
    ['deepen-since 1112911993', 'deepen-not v1.0'],
    { depth: { ...NO_DEPTH, since: 1112911993, not: ['v1.0'] } },
  ],
  [['filter blob:none'], { filter: { kind: 'blob:none' } }],
] as const) {
  test(`fetch reads ${lines.join(', ').replaceAll(A, 'A').replaceAll(B, 'B') || 'nothing'}`, () => {
    assert.deepEqual(parse(lines), { ...NOTHING, ...expected });
  });
}

for (const [lines, message] of [
  [['this-is-not-a-command'], "unexpected line: 'this-is-not-a-command'"],
  [['sideband-all'], "unexpected line: 'sideband-all'"],
  [['want-ref refs/heads/main'], "unexpected line: 'want-ref refs/heads/main'"],
  [[''], "unexpected line: ''"],
  [['want'], "unexpected line: 'want'"],
  [['want xyz'], "upload-pack: protocol error, expected to get oid, not 'want xyz'"],
  [[`want ${A}a`], `upload-pack: protocol error, expected to get oid, not 'want ${A}a'`],
  [[`have ${A.slice(1)}`], `upload-pack: protocol error, expected to get oid, not 'have ${A.slice(1)}'`],
  [['shallow xyz'], 'invalid shallow line: shallow xyz'],
  [['deepen 0'], 'Invalid deepen: deepen 0'],
  [['deepen -1'], 'Invalid deepen: deepen -1'],
  [['deepen 2147483648'], 'Invalid deepen: deepen 2147483648'],
  [['deepen many'], 'Invalid deepen: deepen many'],
  [['deepen-since yesterday'], 'Invalid deepen-since: deepen-since yesterday'],
  [
    ['deepen 1', 'deepen-since 1'],
    'upload-pack: deepen and deepen-since (or deepen-not) cannot be used together',
  ],
  [['filter blob:none', 'filter tree:0'], 'multiple filter-specs cannot be combined'],
] as const) {
  test(`fetch refuses ${lines.join(', ').replaceAll(A, 'A')}`, () => {
    assert.throws(() => parse(lines), { code: 'PROTOCOL_VIOLATION', message });
  });
}

test('fetch knows no filter where none are allowed', () => {
  assert.throws(() => parse(['filter blob:none'], { allowFilter: false }), {
    message: "unexpected line: 'filter blob:none'",
  });
});

test('ids are as long as the repository has them', () => {
  const id = 'c'.repeat(64);
  assert.deepEqual(parse([`want ${id}`], { format: SHA256 }).wants, [id]);
  assert.throws(() => parse([`want ${A}`], { format: SHA256 }), { code: 'PROTOCOL_VIOLATION' });
});

for (const [line, limits] of [
  ['want', { maxWants: 2 }],
  ['have', { maxHaves: 2 }],
  ['shallow', { maxShallowLines: 2 }],
] as const) {
  test(`${line} lines have a limit`, () => {
    const lines = ['1', '2', '3'].map((digit) => `${line} ${digit.repeat(40)}`);
    parse(lines.slice(0, 2), { limits });
    assert.throws(() => parse(lines, { limits }), { code: 'LIMIT_EXCEEDED' });
  });
}

test('any lines give a request or a GitError', () => {
  const word = fc.constantFrom('want', 'have', 'shallow', 'deepen', 'deepen-since', 'deepen-not', 'filter');
  const value = fc.oneof(fc.string(), fc.constantFrom(A, B), fc.nat().map(String), fc.constant('combine:'));
  const line = fc.oneof(
    fc.tuple(word, value).map((parts) => parts.join(' ')),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      try {
        parse(lines);
      } catch (error) {
        assert.ok(isGitError(error, 'PROTOCOL_VIOLATION'));
      }
    }),
  );
});

test('packfile-uris names protocols, which count only with sideband-all', () => {
  const rules = { allowSidebandAll: true, allowPackfileUris: true };
  const { uriProtocols } = parse(['packfile-uris https,http', 'sideband-all'], rules);
  assert.deepEqual(uriProtocols, ['https', 'http']);
  assert.deepEqual(parse(['packfile-uris https'], rules).uriProtocols, []);
  assert.throws(
    () => parse(['packfile-uris https', 'packfile-uris http'], rules),
    /multiple packfile-uris lines/,
  );
  assert.throws(() => parse(['packfile-uris https']), /unexpected line: 'packfile-uris https'/);
});
