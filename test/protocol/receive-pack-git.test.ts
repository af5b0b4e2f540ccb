/** The real git pushing to us, over git:// on this machine. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { SHA1, SHA256 } from '../../src/core/object-id.ts';
import { type ReceivePackOptions, receivePack } from '../../src/protocol/receive-pack.ts';
import { initRepository } from '../../src/repository/node/init-repository.ts';
import { reject } from '../../src/repository/push/hooks.ts';
import { GIT_ENVIRONMENT, git, gitAsync, scratchDirectory } from '../support/git.ts';
import { gitDaemon } from '../support/git-daemon.ts';
import { makePushHistory } from '../support/push-history.ts';

interface Setup {
  /** The server's bare repository. */
  readonly server: string;
  /** The client's repository, with `main`, `side` and the tag `v1`. */
  readonly client: string;
  readonly history: ReturnType<typeof makePushHistory>;
  readonly failures: unknown[];
  readonly errors: unknown[];
  push(...args: readonly string[]): ReturnType<typeof gitAsync>;
}

async function setUp(
  context: TestContext,
  options: Partial<ReceivePackOptions> = {},
  objectFormat: 'sha1' | 'sha256' = 'sha1',
): Promise<Setup> {
  const scratch = await scratchDirectory(context);
  const server = join(scratch, 'server.git');
  const history = makePushHistory(scratch, objectFormat);
  const repository = await initRepository(server, { format: objectFormat === 'sha1' ? SHA1 : SHA256 });
  context.after(() => repository[Symbol.asyncDispose]());
  const failures: unknown[] = [];
  const { url, errors } = await gitDaemon(context, ({ service, protocolVersion, signal }, stream) => {
    assert.equal(service, 'git-receive-pack');
    return receivePack(repository, stream, {
      mode: 'stateful',
      protocolVersion,
      limits: DEFAULT_LIMITS,
      signal,
      onFailure: (error) => failures.push(error),
      ...options,
    });
  });
  const client = history.directory;
  const push = (...args: readonly string[]) => gitAsync(client, 'push', `${url}/x`, ...args);
  return { server, client, history, failures, errors, push };
}

/** What must hold after every push. */
function checkServer({ server, errors }: Setup): void {
  git(server, 'fsck', '--strict', '--no-dangling');
  assert.deepEqual(
    readdirSync(join(server, 'objects')).filter((name) => name.includes('incoming-')),
    [],
  );
  assert.deepEqual(errors, []);
}

function refsOf(directory: string): string[] {
  return git(directory, 'for-each-ref', '--format=%(objectname) %(refname)').trim().split('\n');
}

for (const objectFormat of ['sha1', 'sha256'] as const) {
  for (const version of [0, 1, 2]) {
    test(`git pushes all it has, ${objectFormat}, offering version ${version}`, async (context) => {
      const setup = await setUp(context, {}, objectFormat);
      git(setup.client, 'config', 'protocol.version', String(version));
      const { status, stderr } = await setup.push('--mirror');
      assert.equal(status, 0, stderr);
      assert.match(stderr, /\* \[new branch\] +main -> main/);
      assert.doesNotMatch(stderr, /remote: error|remote: warning/);
      assert.deepEqual(refsOf(setup.server), refsOf(setup.client));
      checkServer(setup);
    });
  }
}

test('git updates, forces, deletes and pushes what is up to date', async (context) => {
  const setup = await setUp(context);
  const { first, side, third } = setup.history;
  for (const [args, ok, refs] of [
    [[`${first}:refs/heads/main`], true, [`${first} refs/heads/main`]],
    [['main'], true, [`${third} refs/heads/main`]],
    [['main'], true, [`${third} refs/heads/main`]],
    [['side:main'], false, [`${third} refs/heads/main`]],
    [['+side:main'], true, [`${side} refs/heads/main`]],
    [['main:refs/heads/x'], true, [`${side} refs/heads/main`, `${third} refs/heads/x`]],
    [[':refs/heads/x'], true, [`${side} refs/heads/main`]],
    [[':refs/heads/main'], false, [`${side} refs/heads/main`]],
  ] as const) {
    const { status, stderr } = await setup.push(...args);
    assert.equal(status === 0, ok, `${args.join(' ')}: ${stderr}`);
    assert.deepEqual(refsOf(setup.server), refs);
  }
  checkServer(setup);
});

describe('git shows the user', () => {
  test('why a ref was refused', async (context) => {
    const setup = await setUp(context, {
      hooks: {
        update: async ({ name }) => (name === 'refs/heads/side' ? reject('side is frozen') : undefined),
      },
    });
    const { status, stderr } = await setup.push('main', 'side');
    assert.equal(status, 1);
    assert.match(stderr, /remote: error: hook declined to update refs\/heads\/side/);
    assert.match(stderr, /! \[remote rejected\] side -> side \(side is frozen\)/);
    assert.match(stderr, /\* \[new branch\] +main -> main/);
    checkServer(setup);
  });

  test('what hooks say, and hooks what options the user gave', async (context) => {
    const setup = await setUp(context, {
      hooks: {
        preReceive: async ({ pushOptions, say }) => say(`options: ${pushOptions.join(', ')}\nthank you`),
      },
    });
    const { status, stderr } = await setup.push('-o', 'ci.skip', '-o', 'topic=a b', 'main');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /remote: options: ci\.skip, topic=a b *\nremote: thank you/);
  });

  test('that a deletion of the current branch is refused', async (context) => {
    const setup = await setUp(context);
    await setup.push('main');
    const { stderr } = await setup.push(':main');
    assert.match(stderr, /remote: error: refusing to delete the current branch: refs\/heads\/main/);
    assert.match(stderr, /\(deletion of the current branch prohibited\)/);
  });

  test('that push options are not supported, where they are not', async (context) => {
    const setup = await setUp(context, { allowPushOptions: false });
    const { status, stderr } = await setup.push('-o', 'x', 'main');
    assert.notEqual(status, 0);
    assert.match(stderr, /the receiving end does not support push options/);
  });

  test('what is wrong with the pack', async (context) => {
    const setup = await setUp(context, { limits: { ...DEFAULT_LIMITS, maxPackBytes: 200 } });
    const { status, stderr } = await setup.push('main');
    assert.equal(status, 1);
    assert.match(stderr, /remote: error: .*at most 200 bytes/);
    assert.match(stderr, /error: remote unpack failed: limit exceeded/);
    assert.match(stderr, /! \[remote rejected\] main -> main \(unpacker error\)/);
    assert.equal(setup.failures.length, 1);
    checkServer(setup);
  });

  test('nothing but the result when quiet', async (context) => {
    const setup = await setUp(context);
    const { status, stderr } = await setup.push('-q', 'main');
    assert.equal(status, 0);
    assert.equal(stderr, '');
  });
});

test('git pushes atomically: all or nothing', async (context) => {
  const setup = await setUp(context, {
    hooks: { update: async ({ name }) => (name === 'refs/heads/side' ? reject() : undefined) },
  });
  const { status, stderr } = await setup.push('--atomic', 'main', 'side', 'v1');
  assert.equal(status, 1);
  assert.match(stderr, /! \[remote rejected\] side -> side \(hook declined\)/);
  assert.match(stderr, /! \[remote rejected\] main -> main \(atomic push failure\)/);
  assert.equal(git(setup.server, 'for-each-ref'), '');
  checkServer(setup);
});

test('git pushes hundreds of refs, and again to delete them', async (context) => {
  const setup = await setUp(context);
  const lines = Array.from({ length: 400 }, (_, i) => `create refs/heads/many/branch-number-${i} main\n`);
  git({ cwd: setup.client, input: lines.join('') }, 'update-ref', '--stdin');
  const created = await setup.push('refs/heads/many/*:refs/heads/many/*');
  assert.equal(created.status, 0, created.stderr);
  assert.equal(refsOf(setup.server).length, 400);
  git(
    {
      cwd: setup.client,
      input: lines
        .slice(1)
        .join('')
        .replace(/create (\S+) main/g, 'delete $1'),
    },
    'update-ref',
    '--stdin',
  );
  const deleted = await setup.push('--prune', 'refs/heads/many/*:refs/heads/many/*');
  assert.equal(deleted.status, 0, deleted.stderr);
  assert.equal(refsOf(setup.server).length, 1);
  checkServer(setup);
});

test('git pushes from a shallow clone when the rest is here, and is refused when not', async (context) => {
  const setup = await setUp(context);
  const shallow = join(setup.client, '..', 'shallow');
  git(setup.client, 'clone', '-q', '--depth=1', `file://${setup.client}`, shallow);
  git(shallow, 'commit', '-q', '--allow-empty', '-m', 'on top');
  const url = (await setup.push('--dry-run', 'main')).stderr.match(/git:\/\/\S+/)?.[0] as string;

  const refused = await gitAsync(shallow, 'push', url, 'main:refs/heads/early');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /\(shallow update not allowed\)/);
  assert.equal(git(setup.server, 'for-each-ref'), '');

  await setup.push('main');
  const taken = await gitAsync(shallow, 'push', url, 'main:refs/heads/late');
  assert.equal(taken.status, 0, taken.stderr);
  checkServer(setup);
});

test('two gits pushing to one branch at once: one wins, the other is told', async (context) => {
  let waiting = 0;
  let open = (): void => {};
  const both = new Promise<void>((resolve) => {
    open = resolve;
  });
  const setup = await setUp(context, {
    hooks: {
      preReceive: async () => {
        if (++waiting === 2) open();
        await both;
      },
    },
  });
  const answers = await Promise.all([setup.push('main:refs/heads/x'), setup.push('side:refs/heads/x')]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [0, 1]);
  const loser = answers.find(({ status }) => status === 1);
  assert.match(loser?.stderr ?? '', /! \[remote rejected\] \w+ -> x \(reference already exists\)/);
  checkServer(setup);
});

test('a git that is killed in the middle of its push leaves nothing', async (context) => {
  let reached = (): void => {};
  const inHook = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const setup = await setUp(context, {
    limits: { ...DEFAULT_LIMITS, keepaliveMs: 50 }, // writing is how a server that is busy notices
    hooks: {
      preReceive: ({ signal }) => {
        reached();
        return new Promise<void>((_, stop) => signal.addEventListener('abort', () => stop(signal.reason)));
      },
    },
  });
  const url = (await setup.push('--dry-run', 'main')).stderr.match(/git:\/\/\S+/)?.[0] as string;
  const pushing = spawn('git', ['push', url, 'main'], { cwd: setup.client, env: GIT_ENVIRONMENT });
  await inHook;
  pushing.kill('SIGKILL');
  for (let i = 0; i < 100 && setup.errors.length === 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(setup.errors.splice(0).length, 1);
  assert.equal(git(setup.server, 'for-each-ref'), '');
  assert.equal(existsSync(join(setup.server, 'objects', setup.history.third.slice(0, 2))), false);
  checkServer(setup);
});
