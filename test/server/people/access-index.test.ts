import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { hashSecret } from '../../../src/server/access/access-token.ts';
import { formatProblem } from '../../../src/server/config/problem.ts';
import {
  formatAccessFile,
  parseAccessFile,
  parseAccessFileInTurns,
} from '../../../src/server/people/access-index.ts';

const HASH = hashSecret('secret');
const KEY = `ssh-ed25519 ${Buffer.concat([
  Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1'),
  Buffer.alloc(32, 7),
]).toString('base64')}`;
const FINGERPRINT = 'SHA256:gNSIRW+2Iyiuvsdp/bgjy38bvWHw6wQm3tuoXrl3WjQ';

test('users, tokens and keys are found by what is known of them', () => {
  const text = `{ // people
    "users": { "alice": { "groups": ["team"] }, "bob": {} },
    "tokens": [{ "id": "0123456789ab", "hash": "${HASH}", "user": "alice", "scope": "read",
                 "repositories": ["team/**"], "expiresAt": "2027-01-01" }],
    "keys": [{ "key": "${KEY} laptop", "user": "bob" }],
    "certificateAuthorities": [], "revokedKeys": [] }`;
  const { index, problems } = parseAccessFile('f', text);
  assert.deepEqual(problems, []);
  assert.ok(index);
  assert.deepEqual(
    [...index.users],
    [
      ['alice', ['team']],
      ['bob', []],
    ],
  );
  assert.deepEqual(index.tokens.get('0123456789ab'), {
    id: '0123456789ab',
    hash: HASH,
    user: 'alice',
    scope: 'read',
    repositories: ['team/**'],
    expiresAt: Date.UTC(2027, 0, 1),
  });
  assert.deepEqual(
    [...index.keys.values()].map(({ user }) => user),
    ['bob'],
  );
});

test('a key that was revoked is nobody’s, and no authority', () => {
  const withKey = (revokedKeys: readonly string[]) =>
    parseAccessFile(
      'f',
      JSON.stringify({
        users: { bob: {} },
        keys: [{ key: KEY, user: 'bob' }],
        certificateAuthorities: [{ key: KEY }],
        revokedKeys,
      }),
    ).index;
  const [fingerprint] = withKey([])?.keys.keys() ?? [];
  assert.equal(withKey([])?.authorities.size, 1);
  assert.ok(fingerprint);
  assert.equal(withKey([fingerprint])?.keys.size, 0);
  assert.equal(withKey([fingerprint])?.authorities.size, 0);
});

for (const [text, ...expected] of [
  [
    '{ "users": { "a b": {} } }',
    'f:1:21: error: users."a b": must be a user name: no spaces, colons, quotes or backslashes, and no @ in front',
  ],
  [
    '{ "tokens": [{ "id": "x", "hash": "h", "user": "alice" }] }',
    'f:1:22: error: tokens[0].id: must be the twelve letters and digits of a token\'s id, got "x"',
    'f:1:35: error: tokens[0].hash: must be 64 hexadecimal digits, got "h"',
  ],
  [
    `{ "users": { "a": {} }, "tokens": [{ "id": "0123456789ab", "hash": "${HASH}", "user": "a", "scpoe": "read" }] }`,
    'f:1:149: error: tokens[0]: there is no member "scpoe"; did you mean "scope"?',
  ],
  [
    `{ "users": { "a": {} }, "tokens": [{ "id": "0123456789ab", "hash": "${HASH}", "user": "a", "repos": ["x"] }] }`,
    'f:1:149: error: tokens[0]: there is no member "repos"; did you mean "repositories"?',
  ],
  [
    `{ "tokens": [{ "id": "0123456789ab", "hash": "${HASH}", "user": "gone", "expiresAt": "soon" }] }`,
    'f:1:143: error: tokens[0].expiresAt: must be a date such as "2027-01-31", or a time such as "2027-01-31T12:00:00Z", got "soon"',
  ],
  [
    `{ "tokens": [{ "id": "0123456789ab", "hash": "${HASH}", "user": "gone" }] }`,
    'f:1:122: warning: tokens[0].user: there is no user "gone", so it is nobody\'s',
  ],
  [
    '{ "users": { "a": {} }, "keys": [{ "key": "ssh-ed25519 AAAA", "user": "a" }] }',
    'f:1:43: error: keys[0].key: Cannot read public key: it does not hold the ssh-ed25519 that it says',
  ],
  [
    `{ "users": { "a": {} }, "keys": [{ "key": "${KEY}", "user": "a" }, { "key": "${KEY}", "user": "a" }] }`,
    `f:1:151: error: keys[1].key: there is the same key before: ${FINGERPRINT}`,
  ],
  [
    '{ "revokedKeys": ["MD5:00"] }',
    'f:1:19: error: revokedKeys[0]: must be a fingerprint such as "SHA256:…", as ssh-keygen -l shows it, got "MD5:00"',
  ],
  ['{ "user": {} }', 'f:1:3: error: there is no member "user"; did you mean "users"?'],
  ['{ "users": {}, "users": {} }', 'f:1:16: error: "users" is given twice'],
] as const) {
  test(`${text.slice(0, 60)}: ${expected[0]}`, () => {
    assert.deepEqual(parseAccessFile('f', text).problems.map(formatProblem), expected);
  });
}

test('a large file is looked at in turns, with the same result and the same places', async () => {
  const id = (at: number): string => String(at).padStart(12, '0');
  const users = Object.fromEntries(
    Array.from({ length: 250 }, (_, at) => [`user${at}`, { groups: [`g${at % 7}`] }]),
  );
  const tokens = Array.from({ length: 350 }, (_, at) => ({
    id: id(at),
    hash: HASH,
    user: `user${at % 250}`,
  }));
  for (const wrong of [
    {},
    { 299: { ...tokens[299], scope: 'all' } },
    { 300: { ...tokens[300], scpoe: 'read' } },
    { 349: tokens[0] },
  ]) {
    const contents = { tokens: Object.values({ ...tokens, ...wrong }), users };
    for (const text of [formatAccessFile(contents), JSON.stringify(contents)]) {
      const whole = parseAccessFile('f', text);
      assert.deepEqual(await parseAccessFileInTurns('f', text), whole);
      assert.equal(whole.index?.users.size, Object.keys(wrong).length === 0 ? 250 : undefined);
      assert.deepEqual(
        whole.problems.map(({ setting }) => setting.split('.')[0]),
        Object.keys(wrong).map((at) => `tokens[${at}]`),
      );
    }
  }
});

test('of many problems the first fifty are said', () => {
  const { problems } = parseAccessFile(
    'f',
    JSON.stringify({ revokedKeys: Array.from({ length: 1000 }, () => 'x') }),
  );
  assert.equal(problems.length, 50);
});

test('nesting has an end', () => {
  const { problems } = parseAccessFile('f', `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
  assert.match(problems.map(formatProblem).join(), /nested 64 deep$/);
});

test('members that nobody knows are let pass, and are in the value', () => {
  const text = '{ "users": { "a": { "mail": "a@b" } }, "application": 1 }';
  const { index, value, problems } = parseAccessFile('f', text);
  assert.deepEqual(problems, []);
  assert.ok(index?.users.has('a'));
  assert.deepEqual(value, { users: { a: { mail: 'a@b' } }, application: 1 });
});

test('a file as we write it is read as any other', () => {
  const anyContents = fc.record({
    users: fc.dictionary(
      fc.stringMatching(/^[a-z]{1,8}$/),
      fc.record({ groups: fc.constantFrom([], ['g'], ['g', 'h']) }),
    ),
    tokens: fc.uniqueArray(
      fc.record({
        id: fc.stringMatching(/^[0-9A-Za-z]{12}$/),
        hash: fc.constantFrom(HASH, 'x'),
        user: fc.constantFrom('a', 'b'),
      }),
      { selector: ({ id }) => id, maxLength: 3 },
    ),
  });
  fc.assert(
    fc.property(anyContents, (contents) => {
      const fast = parseAccessFile('f', formatAccessFile(contents));
      const slow = parseAccessFile('f', `//\n${JSON.stringify(contents)}`);
      assert.deepEqual(fast.index, slow.index);
      const sentences = ({ problems }: typeof fast): string[] => problems.map(({ sentence }) => sentence);
      assert.deepEqual(sentences(fast), sentences(slow));
    }),
  );
});

test('any text is an access file or has an error', () => {
  const name = fc.constantFrom('users', 'tokens', 'keys', 'revokedKeys', 'id', 'user', 'key', 'groups', 'x');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.dictionary(name, tie('tree'), { maxKeys: 3 }),
      fc.array(tie('tree'), { maxLength: 2 }),
    ),
  }));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        tree.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        const { index, problems } = parseAccessFile('f', text);
        assert.equal(
          index === undefined,
          problems.some(({ severity }) => severity === 'error'),
        );
      },
    ),
  );
});
