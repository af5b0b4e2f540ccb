/**
 * The real git clones and fetches from packwire over a connection, in every protocol version, and ends up with what
 * it gets from itself.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { uploadPack } from '../../src/protocol/upload-pack.ts';
import { openRepository } from '../../src/repository/node/open-repository.ts';
import { serveDirectory } from '../interop/http-server.ts';
import { GIT_ENVIRONMENT, git, gitAsync } from '../support/git.ts';
import { gitDaemon } from '../support/git-daemon.ts';
import { type HistoryCommit, makeHistory } from '../support/made-history.ts';

const VERSIONS = [0, 1, 2] as const;

let root = '';
const cleanUps: (() => void)[] = [];
let http: { readonly url: string; readonly errors: unknown[] };
let packwire: { readonly url: string; readonly errors: unknown[] };
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'packwire-fetch-'));
  const cleanUp = { after: (task?: unknown) => void cleanUps.push(task as () => void) };
  packwire = await gitDaemon(cleanUp, async function* ({ path, protocolVersion, signal }, request) {
    await using repository = await openRepository(path);
    yield* uploadPack(repository, request, {
      mode: 'stateful',
      protocolVersion,
      limits: DEFAULT_LIMITS,
      signal,
    });
  });
  http = await serveDirectory(cleanUp, root);
  makeServers();
});
after(async () => {
  for (const cleanUp of cleanUps) cleanUp();
  await rm(root, { recursive: true, force: true });
});

const at = (...names: readonly string[]): string => join(root, ...names);

/** Sixty commits on two lines that merge now and then, tags of all kinds. */
function makeServers(): void {
  const commits: HistoryCommit[] = [];
  for (let i = 0; i < 60; i++) {
    const parents = i < 2 ? [] : i % 10 === 9 ? [i - 2, i - 1] : [i - 2];
    commits.push({ parents, time: i * 60 });
  }
  for (const format of ['sha1', 'sha256'] as const) {
    const server = at(format);
    mkdirSync(server);
    const ids = makeHistory(server, commits, { format });
    git(server, 'branch', 'main', ids[57] as string);
    git(server, 'branch', 'side', ids[30] as string);
    git(server, 'symbolic-ref', 'HEAD', 'refs/heads/main');
    git(server, 'tag', 'light', ids[10] as string);
    git(server, 'tag', '-a', '-m', 'tag', 'v1', ids[21] as string);
    git(server, 'tag', '-a', '-m', 'tag', 'v2', ids[57] as string);
    git(server, 'tag', '-a', '-m', 'tag', 'v2-again', 'v2');
    git(server, 'config', 'uploadpack.allowFilter', 'true');
    git(server, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  }
  git(root, 'init', '--quiet', '--bare', '--initial-branch=trunk', 'empty');
  git(root, 'clone', '--quiet', '--bare', 'sha1', 'detached');
  git(at('detached'), 'update-ref', '--no-deref', 'HEAD', 'side~3');
  git(root, 'clone', '--quiet', '--bare', 'sha1', 'unborn');
  git(at('unborn'), 'symbolic-ref', 'HEAD', 'refs/heads/nowhere');
}

type Steps = (url: string, directory: string, version: number) => Promise<void>;

async function run(directory: string, version: number, ...args: readonly string[]): Promise<void> {
  const result = await gitAsync({ cwd: directory }, '-c', `protocol.version=${version}`, ...args);
  assert.equal(result.status, 0, `git ${args.join(' ')}: ${result.stderr}`);
}

/** What a repository holds: refs, where HEAD is, where history is cut, and every object, missing ones marked. */
async function stateOf(directory: string): Promise<Record<string, string>> {
  const gitDirectory = existsSync(join(directory, '.git')) ? join(directory, '.git') : directory;
  const shallow = join(gitDirectory, 'shallow');
  const refs = await gitAsync(directory, 'for-each-ref', '--format=%(objectname) %(refname) %(symref)');
  const objects = await gitAsync(directory, ...'rev-list --all --objects --missing=print'.split(' '));
  return {
    refs: refs.stdout,
    head: await readFile(join(gitDirectory, 'HEAD'), 'utf8'),
    boundary: existsSync(shallow) ? sortLines(await readFile(shallow, 'utf8')) : 'none',
    objects: sortLines(objects.stdout) + objects.stderr,
  };
}

const sortLines = (text: string): string => text.split('\n').sort().join('\n');

/** The same steps with packwire as server, in each version, and with git. */
function scenario(
  name: string,
  server: string,
  steps: Steps,
  { versions = VERSIONS as readonly number[], httpVersions = [] as readonly number[] } = {},
): void {
  test(name, async () => {
    const slug = name.replace(/\W+/g, '-');
    const expected = at(`expected-${slug}`);
    await steps(`file://${at(server)}`, expected, 2);
    const expectedState = await stateOf(expected);
    const trials = [
      ...versions.map((version) => ({ version, url: `${packwire.url}${at(server)}`, carrier: 'git' })),
      ...httpVersions.map((version) => ({ version, url: `${http.url}/${server}`, carrier: 'http' })),
    ];
    await Promise.all(
      trials.map(async ({ version, url, carrier }) => {
        const directory = at(`${carrier}-v${version}-${slug}`);
        await steps(url, directory, version);
        assert.deepEqual(await stateOf(directory), expectedState, directory);
      }),
    );
    assert.deepEqual([...packwire.errors, ...http.errors], []);
  });
}

const clone =
  (...options: readonly string[]): Steps =>
  (url, directory, version) =>
    run(root, version, 'clone', '--quiet', ...options, url, directory);

scenario('a clone', 'sha1', clone());
scenario('a mirror', 'sha1', clone('--mirror'));
scenario('a SHA-256 clone', 'sha256', clone());
scenario('a clone of one branch, with the tags on it', 'sha1', clone('--single-branch', '--branch=side'));
scenario('a clone without tags', 'sha1', clone('--no-tags'));
scenario('a clone of a tag', 'sha1', clone('--branch=v1'));
scenario('a clone of a repository with a detached HEAD', 'detached', clone());
// Only v2 can say where HEAD leads before there is a commit.
scenario('a clone of a repository whose HEAD is unborn', 'unborn', clone('--mirror'), { versions: [2] });
scenario('a clone of the last commit', 'sha1', clone('--depth=1'));
scenario('a clone of the last commits of every branch', 'sha1', clone('--depth=4', '--no-single-branch'));
scenario('a clone since a date', 'sha1', clone('--shallow-since=1104539800'));
scenario('a clone without the history of a tag', 'sha1', clone('--shallow-exclude=v1'));
scenario('a bare clone without blobs', 'sha1', clone('--bare', '--filter=blob:none'));
scenario('a bare clone without trees', 'sha1', clone('--bare', '--filter=tree:0'));
scenario('a clone without blobs, which are fetched as they are needed', 'sha1', clone('--filter=blob:none'));

scenario(
  'a shallow clone that is deepened step by step',
  'sha1',
  async (url, directory, version) => {
    await clone('--depth=1')(url, directory, version);
    await run(directory, version, 'fetch', '--quiet', '--depth=3');
    await run(directory, version, 'fetch', '--quiet', '--deepen=2');
    await run(directory, version, 'fetch', '--quiet', '--unshallow');
  },
  // Before v2 git's own HTTP client overlooks a tag that came with the pack.
  { httpVersions: [2] },
);

scenario(
  'fetching into a repository with commits of its own',
  'sha1',
  async (url, directory, version) => {
    await run(root, version, 'init', '--quiet', directory);
    await run(directory, version, 'fetch', '--quiet', '--no-tags', url, 'side:refs/remotes/origin/side');
    const own = Array.from(
      { length: 100 },
      (_, i) =>
        `commit refs/heads/mine\ncommitter A <a@example.com> ${1104600000 + i} +0000\ndata 0\n` +
        `${i === 0 ? 'from refs/remotes/origin/side\n' : ''}M 100644 inline own\ndata ${String(i).length}\n${i}\n`,
    );
    git({ cwd: directory, input: own.join('') }, 'fast-import', '--quiet', '--date-format=raw');
    await run(directory, version, 'fetch', '--quiet', url, '+refs/heads/*:refs/remotes/origin/*');
  },
  { httpVersions: VERSIONS },
);

scenario('fetching one more commit, with its tag', 'sha1', async (url, directory, version) => {
  await clone('--bare', '--no-tags')(url, directory, version);
  await run(directory, version, 'update-ref', 'refs/heads/main', 'main~3');
  await run(directory, version, 'update-ref', '-d', 'refs/heads/c59');
  await run(directory, version, 'update-ref', '-d', 'refs/heads/c58').catch(() => undefined);
  await run(directory, version, 'gc', '--quiet', '--prune=now');
  await run(directory, version, 'fetch', '--quiet', '--tags', url, '+refs/heads/main:refs/heads/main');
});

scenario(
  'fetching a commit by its id',
  'sha1',
  async (url, directory, version) => {
    const id = git(at('sha1'), 'rev-parse', 'side~4').trim();
    await run(root, version, 'init', '--quiet', '--bare', directory);
    await run(directory, version, 'fetch', '--quiet', url, `${id}:refs/heads/by-id`);
  },
  { httpVersions: VERSIONS },
);

for (const version of VERSIONS) {
  test(`a clone of an empty repository, version ${version}`, async () => {
    const directory = at(`empty-${version}`);
    await run(root, version, 'clone', '--quiet', `${packwire.url}${at('empty')}`, directory);
    const head = git(directory, 'symbolic-ref', 'HEAD').trim();
    assert.equal(head, version === 2 ? 'refs/heads/trunk' : 'refs/heads/master');
  });

  test(`the user sees git's progress, version ${version}`, async () => {
    const directory = at(`progress-${version}`);
    const { status, stderr } = await gitAsync(
      { cwd: root, env: GIT_ENVIRONMENT },
      '-c',
      `protocol.version=${version}`,
      'clone',
      '--progress',
      `${packwire.url}${at('sha1')}`,
      directory,
    );
    assert.equal(status, 0, stderr);
    assert.match(stderr, /remote: Enumerating objects: \d+, done\./);
    assert.match(stderr, /remote: Counting objects: 100% \((\d+)\/\1\), done\./);
    assert.match(stderr, /remote: Total \d+ \(delta \d+\), reused \d+ \(delta \d+\), pack-reused 0/);
    assert.doesNotMatch(stderr, /remote: .*remote: /);
  });

  test(`what is not to be had is refused in git's words, version ${version}`, async () => {
    const { status, stderr } = await gitAsync(
      { cwd: root },
      '-c',
      `protocol.version=${version}`,
      '-C',
      at('empty'),
      'fetch',
      `${packwire.url}${at('sha1')}`,
      'd'.repeat(40),
    );
    assert.equal(status, 128);
    assert.match(stderr, /upload-pack: not our ref d{40}/);
  });
}
