/** git's own hooks: the real git pushing to us, little shell programs beside the repository. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '../../../src/core/limits.ts';
import { type ReceivePackOptions, receivePack } from '../../../src/protocol/receive-pack.ts';
import { initRepository } from '../../../src/repository/node/init-repository.ts';
import { type OpenRepositoryOptions, openRepository } from '../../../src/repository/node/open-repository.ts';
import { reject } from '../../../src/repository/push/hooks.ts';
import { GIT_ENVIRONMENT, git, gitAsync, scratchDirectory } from '../../support/git.ts';
import { gitDaemon } from '../../support/git-daemon.ts';

const ZERO = '0'.repeat(40);

interface Scene {
  readonly server: string;
  readonly client: string;
  /** The commit at the client's `main`. */
  readonly tip: string;
  hook(name: string, script: string): void;
  push(...args: readonly string[]): ReturnType<typeof gitAsync>;
  /** A file that a hook has written in the git directory. */
  written(name: string): string;
  refs(): string[];
  readonly url: string;
}

interface SceneOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly open?: OpenRepositoryOptions;
  readonly limits?: Partial<Limits>;
  readonly serve?: Partial<ReceivePackOptions>;
}

async function scene(
  t: TestContext,
  { config = {}, open, limits, serve }: SceneOptions = {},
): Promise<Scene> {
  const scratch = await scratchDirectory(t);
  const [server, client] = [join(scratch, 'server.git'), join(scratch, 'client')];
  await (await initRepository(server))[Symbol.asyncDispose]();
  for (const [name, value] of Object.entries(config)) git(server, 'config', name, value);
  const repository = await openRepository(server, open);
  t.after(() => repository[Symbol.asyncDispose]());
  const { url } = await gitDaemon(t, ({ protocolVersion, signal }, stream) =>
    receivePack(repository, stream, {
      mode: 'stateful',
      protocolVersion,
      limits: { ...DEFAULT_LIMITS, ...limits },
      signal,
      ...serve,
    }),
  );
  git('/', 'init', '-q', '-b', 'main', client);
  git(client, 'commit', '-q', '--allow-empty', '-m', 'one');
  return {
    server,
    client,
    tip: git(client, 'rev-parse', 'HEAD').trim(),
    hook(name, script) {
      mkdirSync(join(server, 'hooks'), { recursive: true });
      writeFileSync(join(server, 'hooks', name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(server, 'hooks', name), 0o755);
    },
    url,
    push: (...args) => gitAsync(client, 'push', `${url}/x`, ...args),
    written: (name) => readFileSync(join(server, name), 'utf8'),
    refs: () => git(server, 'for-each-ref', '--format=%(refname)').split('\n').filter(Boolean),
  };
}

/** Lines of `remote: `, without what git pads them with. */
function remoteLines(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('remote: '))
    .map((line) => line.slice('remote: '.length).trimEnd());
}

/** A process that has ended may still be listed until its parent asks. */
function hasEnded(pid: number): boolean {
  if (existsSync('/proc/self/stat')) {
    const stat = `/proc/${pid}/stat`;
    return !existsSync(stat) || /\) [ZX] /.test(readFileSync(stat, 'utf8'));
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

const RECORD = 'echo "$0 $@" >>calls; [ -t 0 ] || cat >>calls';

describe('a push', () => {
  test('runs every hook in git’s order, with git’s arguments and input', async (t) => {
    const { hook, push, written, tip } = await scene(t);
    for (const name of ['pre-receive', 'update', 'reference-transaction', 'post-receive', 'post-update'])
      hook(name, RECORD);
    assert.equal((await push('main', 'main:refs/tags/v')).status, 0);
    const commands = [`${ZERO} ${tip} refs/heads/main`, `${ZERO} ${tip} refs/tags/v`];
    assert.deepEqual(written('calls').trimEnd().split('\n'), [
      'hooks/pre-receive ',
      ...commands,
      `hooks/update refs/heads/main ${ZERO} ${tip}`,
      `hooks/update refs/tags/v ${ZERO} ${tip}`,
      'hooks/reference-transaction preparing',
      ...commands,
      'hooks/reference-transaction prepared',
      ...commands,
      'hooks/reference-transaction committed',
      ...commands,
      'hooks/post-receive ',
      ...commands,
      'hooks/post-update refs/heads/main refs/tags/v',
    ]);
  });

  test('shows what they print on either stream, in order, before it is over', async (t) => {
    const { hook, push } = await scene(t);
    hook('pre-receive', 'echo out 1; echo err 1 >&2; echo out 2; printf unfinished');
    hook('post-receive', 'echo after');
    const { stderr } = await push('main');
    assert.deepEqual(remoteLines(stderr), ['out 1', 'err 1', 'out 2', 'unfinishedafter']);
  });

  test('loses nothing of a hook that prints a great deal', async (t) => {
    const { hook, push } = await scene(t);
    hook('pre-receive', 'seq 1 60000');
    const lines = remoteLines((await push('main')).stderr);
    assert.equal(lines.length, 60_000);
    assert.equal(lines.at(-1), '60000');
  });

  test('does not mind a hook that leaves its input unread', async (t) => {
    const { hook, push, client, refs } = await scene(t);
    hook('pre-receive', 'exec <&-; exit 0');
    const names = Array.from({ length: 2000 }, (_, n) => `refs/tags/t${n}`);
    git(
      { cwd: client, input: names.map((name) => `create ${name} HEAD\n`).join('') },
      'update-ref',
      '--stdin',
    );
    assert.equal((await push('--tags')).status, 0);
    assert.equal(refs().length, 2000);
  });
});

describe('the environment of hooks', () => {
  test('is git’s, and the quarantine holds the pushed objects for pre-receive alone', async (t) => {
    const { hook, push, written, server, tip } = await scene(t, {
      serve: { principal: 'ann', identity: { name: 'Ann', email: 'a@x', timeSeconds: 0, zoneMinutes: 0 } },
    });
    const show =
      'env | grep -E "^(GIT_(DIR|QUARANTINE|OBJECT|ALTERNATE|PUSH|COMMITTER_N)|REMOTE_)" | sort >"$1"; pwd >>"$1"';
    hook(
      'pre-receive',
      `set pre; ${show}; git cat-file -t ${tip} >kind; git update-ref refs/x ${tip} 2>refused; exit 0`,
    );
    hook('update', `set update; ${show}`);
    hook('post-receive', `set post; ${show}`);
    assert.equal((await push('-o', 'a=b', '-o', 'c', 'main')).status, 0);

    const pusher = ['GIT_COMMITTER_NAME=Ann', 'GIT_DIR=.'];
    const options = ['GIT_PUSH_OPTION_0=a=b', 'GIT_PUSH_OPTION_1=c', 'GIT_PUSH_OPTION_COUNT=2'];
    const lines = (name: string) => written(name).trimEnd().split('\n');
    assert.deepEqual(lines('update'), [...pusher, 'REMOTE_USER=ann', server]);
    assert.deepEqual(lines('post'), [...pusher, ...options, 'REMOTE_USER=ann', server]);
    const [objects, ...others] = lines('pre');
    assert.equal(objects, `GIT_ALTERNATE_OBJECT_DIRECTORIES=${server}/objects`);
    const quarantine = others.find((line) => line.startsWith('GIT_QUARANTINE_PATH='))?.slice(20);
    assert.ok(quarantine?.startsWith(`${server}/objects/tmp_objdir-incoming-`));
    assert.ok(others.includes(`GIT_OBJECT_DIRECTORY=${quarantine}`));
    assert.deepEqual(lines('kind'), ['commit']);
    assert.match(written('refused'), /quarantine/);
  });
});

describe('a hook that says no', () => {
  test('pre-receive: nothing moves and nothing is left', async (t) => {
    const { hook, push, refs, server, tip } = await scene(t);
    hook('pre-receive', 'echo not today; exit 1');
    const { status, stderr } = await push('main', 'main:side');
    assert.equal(status, 1);
    assert.deepEqual(remoteLines(stderr), ['not today']);
    assert.match(stderr, /main -> side \(pre-receive hook declined\)/);
    assert.deepEqual(refs(), []);
    assert.ok(!existsSync(join(server, 'objects', tip.slice(0, 2))));
    assert.ok(!readdirSync(join(server, 'objects')).some((name) => name.startsWith('tmp_objdir')));
  });

  for (const [atomic, moved] of [
    [[], ['refs/heads/main']],
    [['--atomic'], []],
  ] as const) {
    test(`update: that ref stays${atomic.length > 0 ? ', and with --atomic all' : ''}`, async (t) => {
      const { hook, push, refs } = await scene(t);
      hook('update', '[ "$1" = refs/heads/main ]');
      const { status, stderr } = await push(...atomic, 'main', 'main:side');
      assert.equal(status, 1);
      assert.match(stderr, /main -> side \(hook declined\)/);
      assert.deepEqual(refs(), moved);
    });
  }

  for (const state of ['preparing', 'prepared']) {
    test(`reference-transaction, ${state}: no ref moves and no lock stays`, async (t) => {
      const { hook, push, refs, server } = await scene(t);
      hook('reference-transaction', `[ "$1" != ${state} ]`);
      const { status, stderr } = await push('main', 'main:side');
      assert.equal(status, 1);
      assert.match(stderr, /aborted by the reference-transaction hook/);
      assert.deepEqual(refs(), []);
      const files = readdirSync(server, { recursive: true, encoding: 'utf8' });
      assert.deepEqual(
        files.filter((name) => name.endsWith('.lock')),
        [],
      );
    });
  }

  test('the application is asked first', async (t) => {
    const { hook, push, server } = await scene(t, {
      serve: { hooks: { preReceive: async () => reject('frozen') } },
    });
    hook('pre-receive', 'touch ran');
    assert.match((await push('main')).stderr, /frozen/);
    assert.ok(!existsSync(join(server, 'ran')));
  });
});

describe('a hook that goes wrong', () => {
  test('is ended at the deadline, with what it has started', async (t) => {
    const { hook, push, refs, server } = await scene(t, { limits: { hookTimeoutMs: 300 } });
    hook('pre-receive', 'sleep 1000 & echo $! >child; wait');
    const { status, stderr } = await push('main');
    assert.equal(status, 1);
    assert.deepEqual(remoteLines(stderr), [
      "error: the 'pre-receive' hook did not end within 0.3 s and was stopped",
    ]);
    assert.deepEqual(refs(), []);
    const child = Number(readFileSync(join(server, 'child'), 'utf8'));
    assert.ok(hasEnded(child));
  });

  test('cannot be started: the push is refused', async (t) => {
    const { hook, push, server } = await scene(t);
    hook('pre-receive', '');
    writeFileSync(join(server, 'hooks', 'pre-receive'), '#!/no/such/program\n');
    assert.match((await push('main')).stderr, /pre-receive hook declined/);
  });

  test('is not executable: it is passed over, and the pusher is told', async (t) => {
    const { hook, push, server } = await scene(t);
    hook('pre-receive', 'exit 1');
    chmodSync(join(server, 'hooks', 'pre-receive'), 0o644);
    const { status, stderr } = await push('main');
    assert.equal(status, 0);
    assert.match(stderr, /hint: The 'hooks\/pre-receive' hook was ignored/);
  });

  test('fails after the refs have moved: the push stands', async (t) => {
    const { hook, push, refs } = await scene(t);
    hook('post-receive', 'exit 1');
    assert.equal((await push('main')).status, 0);
    assert.deepEqual(refs(), ['refs/heads/main']);
  });
});

test('a pusher that goes away ends the hook, and nothing moves', async (t) => {
  // That nobody listens is noticed by writing.
  const { hook, client, server, refs, url } = await scene(t, { limits: { keepaliveMs: 100 } });
  hook('pre-receive', 'trap "touch ended; exit 1" TERM; touch begun; sleep 1000 & wait');
  const child = spawn('git', ['push', `${url}/x`, 'main'], { cwd: client, env: GIT_ENVIRONMENT });
  const ended = once(child, 'close');
  const appears = async (name: string): Promise<void> => {
    while (!existsSync(join(server, name))) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await appears('begun');
  child.kill('SIGKILL');
  await ended;
  await appears('ended');
  assert.deepEqual(refs(), []);
});

describe('where hooks are found', () => {
  test('core.hooksPath', async (t) => {
    const { server, push, hook } = await scene(t, { config: { 'core.hooksPath': 'elsewhere' } });
    hook('pre-receive', 'exit 1');
    mkdirSync(join(server, 'elsewhere'));
    writeFileSync(join(server, 'elsewhere', 'post-update'), '#!/bin/sh\necho "$0 $@"', { mode: 0o755 });
    const { stderr } = await push('main');
    assert.deepEqual(remoteLines(stderr), ['elsewhere/post-update refs/heads/main']);
  });

  test('hook.<name>.command, before the program of the directory', async (t) => {
    const { push, hook } = await scene(t, {
      config: { 'hook.greet.command': 'echo hello', 'hook.greet.event': 'update' },
    });
    hook('update', 'echo from the directory');
    const { stderr } = await push('main');
    assert.match(remoteLines(stderr)[0] as string, /^hello refs\/heads\/main /);
    assert.equal(remoteLines(stderr)[1], 'from the directory');
  });

  test('nowhere, when the repository is opened without', async (t) => {
    const { push, hook } = await scene(t, { open: { hooks: 'none' } });
    hook('pre-receive', 'exit 1');
    assert.equal((await push('main')).status, 0);
  });
});

describe('a branch that is checked out', () => {
  /** A repository with a work tree instead of a bare one. */
  async function checkedOut(t: TestContext, action: string) {
    const scratch = await scratchDirectory(t);
    const [work, client] = [join(scratch, 'work'), join(scratch, 'client')];
    git('/', 'init', '-q', '-b', 'main', work);
    git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
    git(work, 'config', 'receive.denyCurrentBranch', action);
    git('/', 'clone', '-q', work, client);
    writeFileSync(join(client, 'file'), 'new\n');
    git(client, 'add', '.');
    git(client, 'commit', '-qm', 'two');
    const repository = await openRepository(work);
    t.after(() => repository[Symbol.asyncDispose]());
    const { url } = await gitDaemon(t, ({ protocolVersion, signal }, stream) =>
      receivePack(repository, stream, { mode: 'stateful', protocolVersion, limits: DEFAULT_LIMITS, signal }),
    );
    return { work, push: () => gitAsync(client, 'push', `${url}/x`, 'main') };
  }

  test('warn: it is updated under the work tree', async (t) => {
    const { push } = await checkedOut(t, 'warn');
    assert.match((await push()).stderr, /warning: updating the current branch/);
  });

  test('updateInstead: the work tree comes along, unless it has changes', async (t) => {
    const { work, push } = await checkedOut(t, 'updateInstead');
    writeFileSync(join(work, 'file'), 'in the way\n');
    assert.match((await push()).stderr, /Could not update working tree to new HEAD/);
    git(work, 'clean', '-fdq');
    assert.equal((await push()).status, 0);
    assert.equal(readFileSync(join(work, 'file'), 'utf8'), 'new\n');
    assert.equal(git(work, 'status', '--porcelain'), '');
  });
});
