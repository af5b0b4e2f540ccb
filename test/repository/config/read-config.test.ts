import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { isGitError } from '../../../src/core/errors.ts';
import { commandEntry, configSources } from '../../../src/repository/node/config/config-sources.ts';
import { readConfig } from '../../../src/repository/node/config/read-config.ts';
import { git, scratchDirectory } from '../../support/git.ts';

/** A bare repository and files around it, by name below one directory: `repo/config`, `system`, `.gitconfig`. */
function lay(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

function environmentOf(root: string, more: Readonly<Record<string, string>> = {}) {
  return {
    PATH: process.env.PATH ?? '',
    HOME: root,
    LC_ALL: 'C',
    GIT_CONFIG_SYSTEM: join(root, 'system'),
    ...more,
  };
}

const CORE = '[core]\nrepositoryformatversion = 0\nbare = true\n';

async function repositoryIn(context: Parameters<typeof scratchDirectory>[0]): Promise<string> {
  const root = await scratchDirectory(context);
  git(root, 'init', '-q', '--bare', '-b', 'main', 'repo');
  lay(root, { 'repo/config': CORE });
  return root;
}

async function values(
  root: string,
  name: string,
  more: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const { all } = await readConfig(join(root, 'repo'), configSources(environmentOf(root, more)));
  return all.getAll(name);
}

test('the layers come in the order of git, and the last holds', async (context) => {
  const root = await repositoryIn(context);
  lay(root, {
    system: '[a]\nk = system\n',
    '.config/git/config': '[a]\nk = xdg\n',
    '.gitconfig': '[a]\nk = home\n',
    'repo/config': `${CORE}[extensions]\nworktreeConfig = true\n[a]\nk = local\n`,
    'repo/config.worktree': '[a]\nk = worktree\n',
  });
  const command = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'A.K', GIT_CONFIG_VALUE_0: 'count' };
  const more = { ...command, GIT_CONFIG_PARAMETERS: "'a.k=old' 'a.k'='new' 'a.k'=" };
  assert.deepEqual(await values(root, 'a.k', more), [
    'system',
    'xdg',
    'home',
    'local',
    'worktree',
    'count',
    'old',
    'new',
    '',
  ]);
  assert.deepEqual(await values(root, 'a.k', { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '' }), [
    'local',
    'worktree',
  ]);
});

test('without sources only files of the repository count, with all that they include', async (context) => {
  const root = await repositoryIn(context);
  lay(root, {
    '.gitconfig': '[a]\nk = home\n',
    'repo/config': `${CORE}[include]\npath = ../more\n`,
    more: '[a]\nk = included\n',
  });
  const { own, all } = await readConfig(join(root, 'repo'), {});
  assert.deepEqual([own.get('a.k'), all.get('a.k')], [undefined, 'included']);
});

test('protected configuration is what the repository has no say in', async (context) => {
  const root = await repositoryIn(context);
  lay(root, { '.gitconfig': '[a]\nk = home\n', 'repo/config': `${CORE}[a]\nk = local\n` });
  const sources = { ...configSources(environmentOf(root)), command: [commandEntry('b.k', 'said')] };
  const { all } = await readConfig(join(root, 'repo'), sources);
  assert.deepEqual(
    [all.get('a.k'), all.protected.get('a.k'), all.protected.get('b.k')],
    ['local', 'home', 'said'],
  );
});

for (const [condition, applies] of [
  ['gitdir:repo', true],
  ['gitdir:repo/', false],
  ['gitdir:~/repo', true],
  ['gitdir:~/', true],
  ['gitdir:./', true],
  ['gitdir:./repo', true],
  ['gitdir:./REPO', false],
  ['gitdir/i:./REPO', true],
  ['gitdir:/nowhere/', false],
  ['gitdir:r?po', true],
  ['onbranch:main', true],
  ['onbranch:m*', true],
  ['onbranch:main/', false],
  ['onbranch:other', false],
  ['hasconfig:remote.*.url:https://example.com/**', true],
  ['hasconfig:remote.*.url:https://example.com/*', false],
  ['hasconfig:remote.*.url:**/other', false],
  ['unheard-of:x', false],
] as const) {
  test(`includeIf "${condition}" ${applies ? 'applies' : 'does not apply'}, as git has it`, async (context) => {
    const root = await repositoryIn(context);
    lay(root, {
      '.gitconfig': `[includeIf "${condition}"]\npath = more\n`,
      'repo/config': `${CORE}[remote "o"]\nurl = https://example.com/a/b\n`,
      more: '[a]\nk = yes\n',
    });
    const list = spawnSync('git', ['--git-dir=repo', 'config', '--get', 'a.k'], {
      cwd: root,
      env: environmentOf(root),
    });
    const expected = applies ? ['yes'] : [];
    assert.equal(list.stdout.toString(), applies ? 'yes\n' : '');
    assert.deepEqual(await values(root, 'a.k'), expected);
  });
}

for (const [what, files] of [
  ['a circle of includes', { '.gitconfig': '[include]\npath = .gitconfig\n' }],
  ['a file that does not parse', { '.gitconfig': '[a\n' }],
  ['a relative include of no file', {}],
  [
    'a remote in what a condition about remotes includes',
    {
      '.gitconfig': '[remote "o"]\nurl = x\n[includeIf "hasconfig:remote.*.url:x"]\npath = more\n',
      more: '[remote "p"]\nurl = y\n',
    },
  ],
] as const) {
  test(`${what} is refused, by git too`, async (context) => {
    const root = await repositoryIn(context);
    lay(root, files);
    const more = { GIT_CONFIG_PARAMETERS: what.startsWith('a relative') ? "'include.path'='more'" : '' };
    const list = spawnSync('git', ['--git-dir=repo', 'config', '--list'], {
      cwd: root,
      env: environmentOf(root, more),
    });
    assert.equal(list.status, 128);
    await assert.rejects(values(root, 'a.k', more), { code: 'REPOSITORY_INVALID' });
  });
}

for (const text of ["'a.k", "'a.k=v'x", "'a.k'=v", 'a.k=v', "'k=v'", "'a.1k=v'", "''"]) {
  test(`GIT_CONFIG_PARAMETERS=${text} is refused, by git too`, async (context) => {
    const root = await repositoryIn(context);
    const more = { GIT_CONFIG_PARAMETERS: text };
    const list = spawnSync('git', ['--git-dir=repo', 'config', '--list'], {
      cwd: root,
      env: environmentOf(root, more),
    });
    assert.equal(list.status, 128);
    assert.throws(() => configSources(environmentOf(root, more)), { code: 'INVALID_ARGUMENT' });
  });
}

test('a change of any file that was read, or the coming of one, is seen', async (context) => {
  const root = await repositoryIn(context);
  lay(root, { 'repo/config': `${CORE}[include]\npath = more\n` });
  const read = () => readConfig(join(root, 'repo'), configSources(environmentOf(root)));
  const before = await read();
  assert.equal(before.isCurrent(), true);
  lay(root, { 'repo/more': '[a]\nk = 1\n' });
  assert.equal(before.isCurrent(), false);
  const after = await read();
  assert.equal(after.isCurrent(), true);
  lay(root, { '.gitconfig': '' });
  assert.equal(after.isCurrent(), false);
});

test('git config --list --show-scope says the same of files that include each other, or both refuse', async (context) => {
  const root = await repositoryIn(context);
  const names = ['.gitconfig', 'system', 'repo/config', 'one', 'two/three', '.config/git/config'];
  const anyName = fc.constantFrom(...names);
  const anyCondition = fc.constantFrom(
    'gitdir:repo/',
    'gitdir:./',
    'gitdir:~/r*',
    'gitdir/i:**/REPO',
    'onbranch:ma*',
    'onbranch:x',
    'hasconfig:remote.*.url:*',
    'hasconfig:remote.*.url:b*',
  );
  const anyPath = fc.constantFrom('one', '../one', '~/two/three', 'two/three', '/nowhere', '~/one', 'three');
  // What becomes of tabs, and of spaces before a joined line, differs between versions of git.
  const anyText = fc.stringMatching(/^[ab"\\ ;#=]{0,6}$/).filter((text) => !text.endsWith('\\'));
  const anyPart = fc.oneof(
    fc
      .tuple(fc.constantFrom('a', 'B', 'c "Sub.x"', 'c.Old'), fc.constantFrom('k', 'Key-2'), anyText)
      .map(([section, key, text]) => `[${section}]\n${key} = ${text}\n`),
    fc
      .tuple(fc.constantFrom('r', 's'), fc.constantFrom('a', 'b/c'))
      .map(([name, url]) => `[remote "${name}"]\nurl = ${url}\n`),
    anyPath.map((path) => `[include]\npath = ${path}\n`),
    fc
      .tuple(anyCondition, anyPath)
      .map(([condition, path]) => `[includeIf "${condition}"]\npath = ${path}\n`),
  );
  const anyFiles = fc.array(fc.tuple(anyName, fc.array(anyPart, { maxLength: 4 })), { maxLength: 6 });
  const anyParameters = fc.array(fc.tuple(fc.constantFrom('a.k', 'include.path', 'C.Sub.K'), anyText), {
    maxLength: 2,
  });
  await fc.assert(
    fc.asyncProperty(anyFiles, anyParameters, async (files, parameters) => {
      for (const name of names) lay(root, { [name]: name === 'repo/config' ? CORE : '' });
      for (const [name, parts] of files) {
        lay(root, { [name]: (name === 'repo/config' ? CORE : '') + parts.join('') });
      }
      const quoted = parameters.map(([name, value]) => `'${name}'='${value}'`).join(' ');
      const environment = environmentOf(root, { GIT_CONFIG_PARAMETERS: quoted });
      const list = spawnSync('git', ['--git-dir=repo', 'config', '--list', '--show-scope', '-z'], {
        cwd: root,
        env: environment,
      });
      const all = await readConfig(join(root, 'repo'), configSources(environment)).then(
        (read) => read.all,
        (error: unknown) => {
          if (!isGitError(error, 'REPOSITORY_INVALID', 'INVALID_ARGUMENT')) throw error;
          return undefined;
        },
      );
      assert.equal(all === undefined, list.status !== 0, list.stderr.toString());
      if (all === undefined) return;
      const said = all.entries.map(
        ({ scope, name, value }) => `${scope}\0${name}${value === undefined ? '' : `\n${value}`}\0`,
      );
      assert.equal(said.join(''), list.stdout.toString());
    }),
    { numRuns: 120 },
  );
});
