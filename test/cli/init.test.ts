import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { git, scratchDirectory } from '../support/git.ts';
import { runHere } from './run-packwire.ts';

for (const [args, format, head] of [
  [[], 'sha1', 'refs/heads/main'],
  [['--object-format=sha256', '-b', 'trunk'], 'sha256', 'refs/heads/trunk'],
  [['--bare', '--object-format', 'sha1', '--initial-branch=a/b'], 'sha1', 'refs/heads/a/b'],
] as const) {
  test(`init ${args.join(' ')} makes what 'git init --bare' makes`, async (t) => {
    const cwd = await scratchDirectory(t);
    const result = await runHere(['init', ...args, 'r.git'], { cwd });
    const path = join(cwd, 'r.git');
    assert.deepEqual(result, {
      status: 0,
      stdout: `Initialized empty Git repository in ${path}/\n`,
      stderr: '',
    });
    assert.equal(git(path, 'rev-parse', '--show-object-format').trim(), format);
    assert.equal(git(path, 'symbolic-ref', 'HEAD').trim(), head);
    assert.equal(git(path, 'rev-parse', '--is-bare-repository').trim(), 'true');
    git(path, 'fsck', '--strict');

    const again = await runHere(['init', 'r.git'], { cwd });
    assert.equal(again.stdout, `Reinitialized existing Git repository in ${path}/\n`);
    assert.equal(git(path, 'symbolic-ref', 'HEAD').trim(), head);
  });
}

test('init -q says nothing', async (t) => {
  const cwd = await scratchDirectory(t);
  assert.deepEqual(await runHere(['init', '-q', 'r'], { cwd }), {
    status: 0,
    stdout: '',
    stderr: '',
  });
});

for (const [args, status] of [
  [[], 129],
  [['a', 'b'], 129],
  [['--unknown', 'a'], 129],
  [['--object-format=md5', 'a'], 128],
  [['-b', 'a..b', 'a'], 128],
  [['file'], 128],
  [['file/r'], 128],
] as const) {
  test(`init ${args.join(' ')} fails with ${status}`, async (t) => {
    const cwd = await scratchDirectory(t);
    writeFileSync(join(cwd, 'file'), '');
    mkdirSync(join(cwd, 'directory'));
    const result = await runHere(['init', ...args], { cwd });
    assert.equal(result.status, status);
    assert.match(result.stderr, /^(fatal|error): .+\n/);
  });
}
