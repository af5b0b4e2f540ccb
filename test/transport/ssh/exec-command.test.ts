import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseExecCommand } from '../../../src/transport/ssh/exec-command.ts';

const understood: Readonly<Record<string, readonly [service: string, path: string]>> = {
  "git-upload-pack '/team/app.git'": ['git-upload-pack', '/team/app.git'],
  "git upload-pack '/team/app.git'": ['git-upload-pack', '/team/app.git'],
  "git-receive-pack 'team/app.git'": ['git-receive-pack', 'team/app.git'],
  "git-upload-archive '~/app'": ['git-upload-archive', '~/app'],
  'git-upload-pack /team/app': ['git-upload-pack', '/team/app'],
  'git-upload-pack "/team/my app"': ['git-upload-pack', '/team/my app'],
  'git-upload-pack /team/my\\ app': ['git-upload-pack', '/team/my app'],
  "  git-upload-pack   '/it'\\''s'\\!'' ": ['git-upload-pack', "/it's!"],
};

for (const [command, [service, path]] of Object.entries(understood)) {
  test(`understands ${command}`, () => {
    assert.deepEqual(parseExecCommand(command), { service, path });
  });
}

const refused = [
  '',
  'git',
  'sh',
  'git-upload-pack',
  "git-upload-pack ''",
  "git-upload-pack 'a' 'b'",
  "git-upload-pack '--upload-pack=sh'",
  "git-upload-pack --strict 'a'",
  "git-shell -c 'git-upload-pack a'",
  "git-upload-pack 'a'; rm -rf /",
  "git-upload-pack 'a' && sh",
  'git-upload-pack $(id)',
  'git-upload-pack "$HOME"',
  'git-upload-pack `id`',
  "git-upload-pack 'a",
  'git-upload-pack "a',
  'git-upload-pack a\\',
  "git-upload-pack 'a\0b'",
  "git upload-pack-x 'a'",
  "git  config 'a'",
];

for (const command of refused) {
  test(`refuses ${JSON.stringify(command)}`, () => {
    assert.equal(parseExecCommand(command), undefined);
  });
}

test('every path that git quotes comes back', () => {
  const paths = fc
    .string({ unit: 'binary', minLength: 1 })
    .filter((path) => !path.includes('\0') && !path.startsWith('-'));
  fc.assert(
    fc.property(paths, (path) => {
      const quoted = `'${path.replace(/['!]/g, (character) => `'\\${character}'`)}'`;
      assert.deepEqual(parseExecCommand(`git-upload-pack ${quoted}`), { service: 'git-upload-pack', path });
    }),
  );
});
