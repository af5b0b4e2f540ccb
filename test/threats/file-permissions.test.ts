import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { createRuleAuthorizer } from '../../src/server/access/rule-authorizer.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { guardedServer } from '../support/guarded-server.ts';

/** Everything a server with this umask leaves behind of two pushes, one of them kept as a pack. */
async function modesAfterPushes(t: TestContext, umask: number): Promise<ReadonlyMap<string, number>> {
  const directory = await scratchDirectory(t);
  const work = join(directory, 'work');
  git(directory, 'init', '-q', '-b', 'main', work);
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  const commits = Array.from(
    { length: 150 },
    (_, n) => `commit refs/heads/large\ncommitter A <a@example.com> ${1_600_000_000 + n} +0000\ndata 0\n\n`,
  );
  git({ cwd: work, input: commits.join('') }, 'fast-import', '--quiet');
  const previous = process.umask(umask);
  try {
    const root = join(directory, 'root');
    const authorizer = createRuleAuthorizer(() => [
      { repositories: ['**'], subjects: ['@users'], allow: ['write', 'create'] },
    ]);
    const authenticate = () => Promise.resolve({ name: 'alice', groups: [] });
    const server = await guardedServer(t, { root, authorizer, authenticate, create: true });
    const url = server.as('alice', 'x', 'made/here.git');
    for (const branch of ['main', 'large']) {
      const pushed = await gitAsync(work, 'push', url, branch);
      assert.equal(pushed.status, 0, pushed.stderr);
    }
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
    assert.ok(names.some((name) => name.endsWith('.pack')));
    return new Map(names.map((name) => [name, statSync(join(root, name)).mode & 0o777]));
  } finally {
    process.umask(previous);
  }
}

test('nothing a server makes can be written by others, and no file can be run', async (t) => {
  for (const [name, mode] of await modesAfterPushes(t, 0o022)) {
    assert.equal(mode & 0o022, 0, `${name} has mode ${mode.toString(8)}`);
    if (/\.(?:pack|idx|rev)$|config$|HEAD$/.test(name)) assert.equal(mode & 0o111, 0, name);
  }
});

test('with a strict umask nothing it makes can be read by others', async (t) => {
  for (const [name, mode] of await modesAfterPushes(t, 0o077)) {
    assert.equal(mode & 0o077, 0, `${name} has mode ${mode.toString(8)}`);
  }
});
