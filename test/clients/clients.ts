/**
 * Other implementations of git as clients: each that is installed clones, fetches and pushes over HTTP, and git looks at
 * what came of it. `npm run test:clients`; how to install them is in bench/README.md.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { serveDirectory } from '../interop/http-server.ts';
import { ok } from '../interop/scene.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';

const PROGRAMS = resolve(import.meta.dirname, 'programs');
const JARS = ['org.eclipse.jgit.jar', 'slf4j-api.jar', 'slf4j-nop.jar', 'javaewah.jar', 'jsch.jar'].map(
  (name) => join('/usr/share/java', name),
);
const GO_PATH = '/usr/share/gocode';
const MODULES = resolve(import.meta.dirname, '../../bench/peers/node_modules');

interface Client {
  readonly name: string;
  /** The command to which verb, URL, directory and ref are added; `undefined` when it is not installed. */
  prepare(directory: string): readonly string[] | undefined;
}

const CLIENTS: readonly Client[] = [
  { name: 'dulwich', prepare: () => python('dulwich.py', 'dulwich') },
  { name: 'libgit2', prepare: () => python('libgit2.py', 'pygit2') },
  {
    name: 'isomorphic-git',
    prepare: () =>
      existsSync(join(MODULES, 'isomorphic-git'))
        ? [process.execPath, join(PROGRAMS, 'isomorphic-git.mjs')]
        : undefined,
  },
  { name: 'go-git', prepare: goGit },
  { name: 'JGit', prepare: jgit },
];

for (const client of CLIENTS) {
  test(`${client.name} clones, fetches and pushes`, async (t) => {
    const root = await scratchDirectory(t);
    const built = join(root, 'program');
    mkdirSync(built);
    const command = client.prepare(built);
    if (command === undefined) return t.skip(`${client.name} is not installed`);
    const run = (...args: readonly string[]): Promise<unknown> => {
      const [program, ...first] = command as [string, ...string[]];
      return promisify(execFile)(program, [...first, ...args], { env: { ...process.env, HOME: root } });
    };

    const server = await serveDirectory(t, join(root, 'repositories'));
    const url = `${server.url}/project.git`;
    const stored = join(root, 'repositories/project.git');
    const work = join(root, 'work');
    git(root, 'init', '--quiet', '--initial-branch=main', work);
    commitTo(work, 'one');
    await ok(gitAsync(work, 'push', '--quiet', url, 'main'));

    const clone = join(root, 'clone.git');
    await run('clone', url, clone);
    assert.equal(tipOf(clone), tipOf(stored, 'refs/heads/main'));

    commitTo(work, 'two');
    await ok(gitAsync(work, 'push', '--quiet', url, 'main'));
    await run('fetch', url, clone);
    const tip = tipOf(stored, 'refs/heads/main');
    git(clone, 'cat-file', '-e', tip);
    git(clone, 'fsck', '--strict');
    git(clone, 'rev-list', '--objects', tip);

    const made = git(clone, 'commit-tree', `${tip}^{tree}`, '-p', tip, '-m', client.name).trim();
    git(clone, 'update-ref', 'refs/heads/pushed', made);
    await run('push', url, clone, 'refs/heads/pushed');
    assert.equal(tipOf(stored, 'refs/heads/pushed'), made);
    git(stored, 'fsck', '--strict');
    assert.deepEqual(server.errors, []);
  });
}

function commitTo(work: string, name: string): void {
  writeFileSync(join(work, 'file'), `${name}\n`.repeat(500));
  git(work, 'add', '.');
  git(work, 'commit', '-qm', name);
}

function tipOf(repository: string, ref?: string): string {
  if (ref !== undefined) return git(repository, 'rev-parse', ref).trim();
  const refs = git(repository, 'for-each-ref', '--format=%(objectname)').trim().split('\n');
  assert.equal(new Set(refs).size, 1, `one commit is cloned, not ${refs.join(' ')}`);
  return refs[0] as string;
}

/** The first Python that has the module: a Python beside the system's often lacks the system's packages. */
function python(source: string, module: string): readonly string[] | undefined {
  const found = ['python3', '/usr/bin/python3'].find(
    (program) => spawnSync(program, ['-c', `import ${module}`]).status === 0,
  );
  return found === undefined ? undefined : [found, join(PROGRAMS, source)];
}

/** Built against Debian's copies of Go libraries, which lie in a GOPATH; no module proxy is asked. */
function goGit(directory: string): readonly string[] | undefined {
  if (!existsSync(join(GO_PATH, 'src/github.com/go-git/go-git'))) return undefined;
  const package_ = join(directory, 'src/client');
  mkdirSync(package_, { recursive: true });
  copyFileSync(join(PROGRAMS, 'go-git.go'), join(package_, 'main.go'));
  // Only a package that has a go.mod of its own may import paths with a /v5 in them from a GOPATH.
  writeFileSync(join(package_, 'go.mod'), 'module client\n');
  const program = join(directory, 'client');
  const environment = {
    GOPATH: [directory, GO_PATH].join(delimiter),
    GO111MODULE: 'off',
    GOCACHE: join(directory, 'cache'),
  };
  return build('go', ['build', '-o', program, '.'], package_, environment) ? [program] : undefined;
}

function jgit(directory: string): readonly string[] | undefined {
  if (!JARS.every((path) => existsSync(path))) return undefined;
  const source = join(PROGRAMS, 'JGitClient.java');
  const isBuilt = build('javac', ['-cp', JARS.join(delimiter), '-d', directory, source], directory, {});
  return isBuilt ? ['java', '-cp', [...JARS, directory].join(delimiter), 'JGitClient'] : undefined;
}

/** @returns false when the compiler is not installed. @throws when it refuses the program */
function build(
  compiler: string,
  args: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>>,
): boolean {
  const { error, status, stderr } = spawnSync(compiler, args, {
    cwd,
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  });
  if (error !== undefined) return false;
  assert.equal(status, 0, stderr);
  return true;
}
