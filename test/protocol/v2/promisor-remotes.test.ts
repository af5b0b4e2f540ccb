import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { concatBytes } from '../../../src/core/bytes.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { encodePacket, FLUSH_PACKET } from '../../../src/protocol/pkt-line.ts';
import { uploadPack } from '../../../src/protocol/upload-pack.ts';
import { acceptsPromisor, promisorRemoteInfo } from '../../../src/protocol/v2/promisor-remotes.ts';
import { parseGitConfig } from '../../../src/repository/git-config.ts';
import { openRepository } from '../../../src/repository/node/files-repository.ts';
import { git, scratchDirectory } from '../../support/git.ts';
import { packIds, readAnswer } from '../../support/served-repository.ts';
import { drain } from '../../support/streams.ts';

const ON = '[promisor]\nadvertise = true\n';
const LOP = '[remote "lop"]\npromisor = true\nurl = "https://a.example/x,y;z%"\n';

for (const [what, text, expected] of [
  ['nothing is configured', '', undefined],
  ['nothing is to be told', LOP, undefined],
  ['there are no promisors', `${ON}[remote "o"]\nurl = x\n`, undefined],
  ['there is one', ON + LOP, 'name=lop,url=https://a.example/x%2cy%3bz%25'],
  [
    'one has no URL',
    `${ON}${LOP}[remote "b"]\npromisor\nurl =\n`,
    'name=lop,url=https://a.example/x%2cy%3bz%25',
  ],
  [
    'there are two, the origin of a partial clone last',
    `${ON}[extensions]\npartialClone = o\n[remote "o"]\nurl = 1\npromisor\n[remote "p q"]\nurl = 2\npartialCloneFilter = blob:none\n`,
    'name=p%20q,url=2;name=o,url=1',
  ],
  [
    'fields are asked for',
    `${ON}sendFields = token, partialclonefilter, other\n[remote "o"]\nurl = 1\npromisor\ntoken = t\npartialCloneFilter = blob:limit=5k\n`,
    'name=o,url=1,partialCloneFilter=blob:limit=5k,token=t',
  ],
] as const) {
  test(`when ${what}, ${expected === undefined ? 'nothing' : `'${expected}'`} is advertised`, () => {
    assert.equal(promisorRemoteInfo(parseGitConfig(text)), expected);
  });
}

for (const [accepted, expected] of [
  ['lop', true],
  ['%6cop;other', true],
  ['other;lop', true],
  ['lo', false],
  ['', false],
  ['lop%', false],
] as const) {
  test(`'${accepted}' ${expected ? 'accepts' : 'does not accept'} the remote 'lop'`, () => {
    assert.equal(acceptsPromisor(parseGitConfig(ON + LOP), accepted), expected);
  });
}

test('a blob that is missing is left out for who accepts a promisor, and an error for others', async (context) => {
  const root = await scratchDirectory(context);
  const path = join(root, 'r.git');
  git(root, 'init', '-q', '--bare', '-b', 'main', path);
  const [kept, lost] = ['kept', 'lost'].map((text) =>
    git({ cwd: path, input: text }, 'hash-object', '-w', '--stdin').trim(),
  );
  const tree = git(
    { cwd: path, input: `100644 blob ${kept}\tkept\n100644 blob ${lost}\tlost\n` },
    'mktree',
  ).trim();
  const commit = git(path, 'commit-tree', '-m', 'one', tree).trim();
  git(path, 'update-ref', 'refs/heads/main', commit);
  writeFileSync(join(path, 'config'), `[core]\nbare = true\n${ON}${LOP}`);
  rmSync(join(path, 'objects', String(lost).slice(0, 2), String(lost).slice(2)));

  const ask = async (...capabilities: string[]) => {
    await using repository = await openRepository(path);
    const lines = ['command=fetch', ...capabilities].map((line) => encodePacket(`${line}\n`));
    const args = [`want ${commit}`, 'no-progress', 'done'].map((line) => encodePacket(`${line}\n`));
    const request = concatBytes(...lines, new TextEncoder().encode('0001'), ...args, FLUSH_PACKET);
    const stream = async function* () {
      yield request;
    };
    const options = { mode: 'stateless', protocolVersion: 2, limits: DEFAULT_LIMITS } as const;
    return readAnswer(await drain(uploadPack(repository, stream(), options)));
  };
  const scratch = join(root, 'scratch.git');
  git(root, 'init', '-q', '--bare', scratch);
  const answer = await ask('promisor-remote=lop');
  assert.deepEqual(packIds(scratch, answer.pack), [kept, tree, commit].sort());
  const refused = await ask();
  assert.match(refused.lines.join('\n'), /corruption on the remote side/);
  assert.match((await ask('promisor-remote=other')).lines.join('\n'), /corruption on the remote side/);
});
