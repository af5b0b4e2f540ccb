import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { parseCapabilities } from '../../src/protocol/capabilities.ts';
import { parseGitConfig } from '../../src/repository/git-config.ts';
import { isPermitted } from '../../src/server/access/access-rules.ts';
import { createRuleAuthorizer } from '../../src/server/access/rule-authorizer.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { guardedServer } from '../support/guarded-server.ts';

const SPECIAL = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

test('names that mean something to JavaScript mean nothing here', async (t) => {
  const root = await scratchDirectory(t);
  git(root, 'init', '-q', '-b', 'main', 'work');
  const work = join(root, 'work');
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  const seen: string[] = [];
  const server = await guardedServer(t, {
    root: join(root, 'served'),
    authorizer: createRuleAuthorizer(() => [
      { repositories: ['**'], subjects: ['@users'], allow: ['read', 'write', 'create'] },
    ]),
    authenticate: (credentials) =>
      Promise.resolve({ name: credentials.scheme === 'basic' ? credentials.user : '', groups: [] }),
    hooks: {
      postReceive: async ({ commands }) => void seen.push(...commands.map(({ name }) => name)),
    },
    create: true,
  });
  for (const name of SPECIAL) {
    const url = server.as(name, 'x', `${name}/${name}.git`);
    const pushed = await gitAsync(
      work,
      'push',
      '-q',
      url,
      `HEAD:refs/heads/${name}`,
      `HEAD:refs/tags/${name}`,
    );
    assert.equal(pushed.status, 0, pushed.stderr);
    const listed = await gitAsync(work, 'ls-remote', url);
    assert.match(listed.stdout, new RegExp(`refs/heads/${name}\\n.*refs/tags/${name}\\n`));
  }
  assert.equal(seen.length, 2 * SPECIAL.length);
  assert.deepEqual(server.errors, []);
});

test('nor are they what nobody said', () => {
  const config = parseGitConfig('[core]\n\tbare = true\n');
  const capabilities = parseCapabilities('report-status');
  for (const name of SPECIAL) {
    assert.equal(config.get(name), undefined);
    assert.equal(config.get(`core.${name}`), undefined);
    assert.equal(capabilities.has(name), false);
    const nobody = { subject: { name, groups: [name] }, repository: name, permission: 'read' } as const;
    assert.equal(isPermitted([], nobody), false);
  }
});
