import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { encodePacket, FLUSH_PACKET } from '../../src/protocol/pkt-line.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { runHere } from './run-packwire.ts';

/** A repository of one commit that has lost an object. @returns its path, the id of the commit and of what is lost */
async function damagedRepository(t: TestContext, lost: string) {
  const path = await scratchDirectory(t);
  git('/', 'init', '-q', '-b', 'main', path);
  writeFileSync(join(path, 'file'), 'hello\n');
  git(path, 'add', '.');
  git(path, 'commit', '-qm', 'one');
  const id = git(path, 'rev-parse', lost).trim();
  rmSync(join(path, '.git/objects', id.slice(0, 2), id.slice(2)));
  return { path, tip: git(path, 'rev-parse', 'main').trim(), id };
}

const DAMAGE = [
  { lost: 'main:file', words: (id: string) => `unable to read ${id}` },
  { lost: 'main^{tree}', words: (id: string) => `bad tree object ${id}` },
];
for (const { lost, words } of DAMAGE) {
  test(`upload-pack says on standard error, as git does, that ${lost} is missing`, async (t) => {
    const { path, tip, id } = await damagedRepository(t, lost);
    const input = Buffer.concat([
      encodePacket(`want ${tip}\n`),
      FLUSH_PACKET,
      encodePacket('done\n'),
      FLUSH_PACKET,
    ]);

    const { status, stderr } = await runHere(['upload-pack', '.'], { cwd: path, input });

    assert.equal(status, 128);
    const [cause, died, fatal] = stderr.split('\n');
    assert.match(cause ?? '', new RegExp(`^error: .*${words(id)}$`));
    assert.equal(died, 'error: git upload-pack: git-pack-objects died with error.');
    assert.match(fatal ?? '', /^fatal: git upload-pack: aborting due to possible repository corruption/);
  });
}

test('GIT_USER_AGENT is the name the server gives itself, as one word', async (t) => {
  const path = await scratchDirectory(t);
  git('/', 'init', '-q', path);
  const env = { GIT_USER_AGENT: 'my server/1', GIT_PROTOCOL: 'version=2' };
  const { stdout } = await runHere(['upload-pack', '--advertise-refs', path], { cwd: path, env });
  assert.match(stdout, /^[0-9a-f]{4}agent=my\.server\/1$/m);
});
