import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { runHere } from './run-packwire.ts';

for (const [service, version, flags, status] of [
  ['receive-pack', 0, [], 128],
  ['receive-pack', 2, [], 128],
  ['receive-pack', 0, ['--stateless-rpc'], 128],
  ['upload-pack', 0, [], 128],
  ['upload-pack', 1, [], 128],
  ['upload-pack', 2, [], 0],
  ['upload-pack', 0, ['--stateless-rpc'], 128],
  ['upload-pack', 2, ['--stateless-rpc'], 0],
] as const) {
  const command = [service, ...flags].join(' ');
  test(`${command} in version ${version} ends with ${status} when its client leaves without a word`, async (t) => {
    const directory = await scratchDirectory(t);
    git(directory, 'init', '-q', '--bare', 'stored.git');
    const env = { GIT_PROTOCOL: `version=${version}` };
    const args = [service, ...flags, join(directory, 'stored.git')];
    const ours = await runHere(args, { cwd: directory, env });
    const theirs = await gitAsync({ cwd: directory, env }, ...args);
    assert.equal(ours.status, status);
    assert.deepEqual([ours.status, ours.stderr], [theirs.status, theirs.stderr]);
  });
}
