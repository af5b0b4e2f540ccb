import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { parseAccessFile } from '../../../src/server/people/access-index.ts';
import { addToken, addUser, removeUser, revokeToken } from '../../../src/server/people/change-people.ts';
import { editAccessFile, readAccessContents } from '../../../src/server/people/edit-access-file.ts';
import { scratchDirectory } from '../../support/git.ts';

async function newPath(t: TestContext): Promise<string> {
  return join(await scratchDirectory(t), 'access.json');
}

test('a file that is not there is made, for its owner only', async (t) => {
  const path = await newPath(t);
  await editAccessFile(path, (contents) => addUser(contents, 'alice', ['team']));
  assert.equal(
    readFileSync(path, 'utf8'),
    '{\n  "users": {\n    "alice": {\n      "groups": [\n        "team"\n      ]\n    }\n  }\n}\n',
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(dirname(path)), ['access.json']);
});

test('members that nobody knows stay, comments do not', async (t) => {
  const path = await newPath(t);
  writeFileSync(path, '{ /* ours */ "application": [1], "users": { "alice": { "mail": "a@b" } } }', {
    mode: 0o600,
  });
  await editAccessFile(path, (contents) => addUser(contents, 'alice', ['team']));
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
    application: [1],
    users: { alice: { mail: 'a@b', groups: ['team'] } },
  });
});

test('a change that fails, or a file that is broken, leaves everything as it was', async (t) => {
  const path = await newPath(t);
  await editAccessFile(path, (contents) => addUser(contents, 'alice', []));
  const before = readFileSync(path, 'utf8');
  await assert.rejects(
    editAccessFile(path, (contents) => {
      addUser(contents, 'bob', []);
      revokeToken(contents, 'absent');
    }),
    { code: 'INVALID_ARGUMENT', message: 'Cannot change access file: there is no token "absent"' },
  );
  await assert.rejects(
    editAccessFile(path, (contents) => addToken(contents, 'alice', { repositories: ['/app'] })),
    { code: 'INVALID_ARGUMENT', message: /tokens\[0\].repositories\[0\]: must be the name of a repository/ },
  );
  assert.equal(readFileSync(path, 'utf8'), before);
  writeFileSync(path, '{', { mode: 0o600 });
  await assert.rejects(
    editAccessFile(path, () => undefined),
    { code: 'INVALID_ARGUMENT' },
  );
  assert.equal(readFileSync(path, 'utf8'), '{');
  assert.deepEqual(readdirSync(dirname(path)), ['access.json']);
});

test('a symbolic link stays one', async (t) => {
  const path = await newPath(t);
  const link = `${path}.link`;
  writeFileSync(path, '{}', { mode: 0o600 });
  symlinkSync('access.json', link);
  await editAccessFile(link, (contents) => addUser(contents, 'alice', []));
  assert.deepEqual(await readAccessContents(path), { users: { alice: {} } });
});

test('changes at the same time are all made', async (t) => {
  const path = await newPath(t);
  const names = Array.from({ length: 20 }, (_, at) => `user${at}`);
  await Promise.all(names.map((name) => editAccessFile(path, (contents) => addUser(contents, name, []))));
  const { users = {} } = await readAccessContents(path);
  assert.deepEqual(Object.keys(users).sort(), [...names].sort());
});

test('a lock that stays is waited for, and then said', async (t) => {
  const path = await newPath(t);
  writeFileSync(`${path}.lock`, '');
  await assert.rejects(
    editAccessFile(path, () => undefined),
    {
      code: 'STORAGE_FAILED',
      message: `Cannot change access file: '${path}.lock' is there. Another change is under way; remove it if that was cut off`,
    },
  );
});

test('after any changes the file is right, and each token is its user’s until it or the user is gone', async (t) => {
  const path = await newPath(t);
  const name = fc.constantFrom('alice', 'bob', 'constructor', 'toString');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), name }),
    fc.record({ kind: fc.constant('remove' as const), name }),
    fc.record({ kind: fc.constant('token' as const), name }),
    fc.record({ kind: fc.constant('revoke' as const), name }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      writeFileSync(path, '{}', { mode: 0o600 });
      const model = new Map<string, Set<string>>();
      for (const { kind, name: user } of steps) {
        const ids = model.get(user);
        const [first] = ids ?? [];
        if (kind === 'add') {
          await editAccessFile(path, (contents) => addUser(contents, user, []));
          model.set(user, ids ?? new Set());
        } else if (ids === undefined) {
          const change = kind === 'remove' ? removeUser : addToken;
          await assert.rejects(
            editAccessFile(path, (contents) => change(contents, user, {})),
            {
              code: 'INVALID_ARGUMENT',
            },
          );
        } else if (kind === 'remove') {
          assert.equal(await editAccessFile(path, (contents) => removeUser(contents, user)), ids.size);
          model.delete(user);
        } else if (kind === 'token') {
          ids.add((await editAccessFile(path, (contents) => addToken(contents, user, {}))).id);
        } else if (first !== undefined) {
          await editAccessFile(path, (contents) => revokeToken(contents, first));
          ids.delete(first);
        }
      }
      const { index, problems } = parseAccessFile(path, readFileSync(path, 'utf8'));
      assert.deepEqual(problems, []);
      const found = [...(index?.tokens.values() ?? [])].map(({ id, user }) => `${user} ${id}`).sort();
      const expected = [...model].flatMap(([user, ids]) => [...ids].map((id) => `${user} ${id}`)).sort();
      assert.deepEqual(found, expected);
      assert.deepEqual([...(index?.users.keys() ?? [])].sort(), [...model.keys()].sort());
    }),
    { numRuns: 25 },
  );
});
