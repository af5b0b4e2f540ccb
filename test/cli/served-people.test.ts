import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { runHere, spawnPackwire } from './run-packwire.ts';

const CONFIG = `{
  // Alice's team writes, everybody reads.
  "root": "repos", "create": true, "listen": { "http": ["0"] },
  "access": { "file": "access.json", "rules": [
    { "repositories": ["team/**"], "subjects": ["@team"], "allow": ["write", "create"] },
    { "repositories": ["**"], "subjects": ["@users"], "allow": ["read"] },
  ] },
}`;

/** Start the server of `packwire.json` in `cwd`. @returns its URL */
async function serve(t: TestContext, cwd: string): Promise<URL> {
  const child = spawnPackwire(['serve', '--config=packwire.json', '--quiet'], { cwd });
  t.after(() => child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
  const ended = once(child, 'close');
  for (;;) {
    const [, url] = /^listening on (http:\S+)$/m.exec(stdout) ?? [];
    if (url !== undefined) return new URL(url);
    const waited = await Promise.race([
      once(child.stdout!, 'data').then(() => true),
      ended.then(() => false),
    ]);
    if (!waited) throw new Error(`serve ended: ${stderr}`);
  }
}

test('a configured server knows its users by their tokens, until these are revoked', async (t) => {
  const cwd = await scratchDirectory(t);
  const run = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await runHere([...args, '--config=packwire.json'], { cwd });
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };
  writeFileSync(join(cwd, 'packwire.json'), CONFIG);
  await run('user', 'add', 'alice', '--group=team');
  await run('user', 'add', 'bob');
  const tokens = { alice: await run('token', 'create', 'alice'), bob: await run('token', 'create', 'bob') };
  assert.equal(await run('config', 'check'), 'packwire.json can be used');

  const work = join(cwd, 'work');
  git('/', 'init', '-q', work);
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  const server = await serve(t, cwd);
  const urlOf = (token: string): string => `http://x:${token}@${server.host}/team/app.git`;
  const attempt = (token: string, verb: string, ...args: string[]) =>
    gitAsync({ cwd: work, env: { GIT_TERMINAL_PROMPT: '0' } }, verb, urlOf(token), ...args);

  const pushed = await attempt(tokens.alice, 'push', 'HEAD:refs/heads/main');
  assert.equal(pushed.status, 0, pushed.stderr);
  assert.match((await attempt(tokens.bob, 'ls-remote')).stdout, /refs\/heads\/main/);
  assert.notEqual((await attempt(tokens.bob, 'push', 'HEAD:refs/heads/other')).status, 0);
  assert.notEqual((await attempt('pw_0123456789ab_wrong', 'ls-remote')).status, 0);

  await run('token', 'revoke', tokens.bob);
  let attempts = 0; // refused after a second at the latest
  while ((await attempt(tokens.bob, 'ls-remote')).status === 0) {
    assert.ok(++attempts < 50, 'the token is good for ever');
    await sleep(100);
  }
  assert.equal((await attempt(tokens.alice, 'ls-remote')).status, 0);
});
