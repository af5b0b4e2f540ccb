/**
 * `core.sharedRepository`: what it says, and that every file and directory ends up with the mode that git gives it.
 */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { receivePack } from '../../../src/protocol/receive-pack.ts';
import { parseGitConfig } from '../../../src/repository/git-config.ts';
import {
  parseSharedRepository,
  sharedPermissions,
} from '../../../src/repository/node/config/shared-repository.ts';
import { initRepository, openRepository } from '../../../src/repository/node/files-repository.ts';
import { git, gitBytes, scratchDirectory } from '../../support/git.ts';
import { pushRequest, readAnswer } from '../../support/push-client.ts';
import { chunked, drain } from '../../support/streams.ts';

describe('core.sharedRepository', () => {
  const group = { bits: 0o660, isExact: false };
  const everybody = { bits: 0o664, isExact: false };
  for (const [value, expected] of [
    ['', undefined],
    ['0', undefined],
    ['umask', undefined],
    ['false', undefined],
    ['no', undefined],
    ['1', group],
    ['group', group],
    ['true', group],
    ['yes', group],
    ['9', group], // no octal number, and not zero
    ['2', everybody],
    ['all', everybody],
    ['world', everybody],
    ['everybody', everybody],
    ['0660', { bits: 0o660, isExact: true }],
    ['640', { bits: 0o640, isExact: true }],
    ['0777', { bits: 0o666, isExact: true }],
  ] as const) {
    test(`= ${value}`, () => assert.deepEqual(parseSharedRepository(value), expected));
  }

  test('without a value is the group, and absent nobody', () => {
    assert.deepEqual(sharedPermissions(parseGitConfig('[core]\n\tsharedRepository\n')), group);
    assert.equal(sharedPermissions(parseGitConfig('')), undefined);
  });

  for (const value of ['0460', '3', '0060', 'Group', 'x']) {
    test(`= ${value} is refused`, () => {
      assert.throws(() => parseSharedRepository(value), { code: 'REPOSITORY_INVALID' });
    });
  }
});

const ZERO = '0'.repeat(40);

/** Two commits and the packs that bring them; the same ones each time. */
function makeSource(root: string) {
  const source = join(root, 'source');
  git(root, 'init', '-q', source);
  const commitAndPack = (name: string, ...not: readonly string[]) => {
    git(source, 'update-index', '--add', '--cacheinfo', `100644,${blob(source, name)},${name}`);
    git(source, 'commit', '-qm', name);
    const input = `HEAD\n${not.map((id) => `^${id}\n`).join('')}`;
    const pack = gitBytes(
      { cwd: source, input },
      'pack-objects',
      '-q',
      '--revs',
      '--stdout',
      '--delta-base-offset',
    );
    return { id: git(source, 'rev-parse', 'HEAD').trim(), pack: new Uint8Array(pack) };
  };
  const first = commitAndPack('first');
  return { first, second: commitAndPack('second', first.id) };
}

function blob(source: string, input: string): string {
  return git({ cwd: source, input }, 'hash-object', '-w', '--stdin').trim();
}

type Receive = (request: Uint8Array) => Promise<Uint8Array>;

/** Loose objects, a pack, refs in new directories, their logs, packed-refs written anew. */
async function pushAll(path: string, { first, second }: ReturnType<typeof makeSource>, receive: Receive) {
  const push = async (commands: readonly string[], pack?: Uint8Array): Promise<void> => {
    const { report, messages, fatal } = readAnswer(await receive(pushRequest({ commands, pack })), true);
    assert.deepEqual(
      [report.filter((line) => !/^(?:unpack )?ok|^0000$/.test(line)), fatal],
      [[], ''],
      messages,
    );
  };
  await push([`${ZERO} ${first.id} refs/heads/topic/one`], first.pack);
  git(path, 'config', 'receive.unpackLimit', '1');
  await push([`${ZERO} ${second.id} refs/heads/main`], second.pack);
  git(path, 'pack-refs', '--all');
  await push([`${first.id} ${ZERO} refs/heads/topic/one`]);
}

function ours(path: string): Receive {
  return async (request) => {
    await using repository = await openRepository(path);
    const options = { mode: 'stateless', protocolVersion: 0, limits: DEFAULT_LIMITS } as const;
    return await drain(receivePack(repository, chunked(request), options));
  };
}

function theirs(path: string): Receive {
  return async (input) =>
    new Uint8Array(gitBytes({ cwd: path, input }, 'receive-pack', '--stateless-rpc', path));
}

/** `mode path` of all there is; hooks and other things of a template are nobody's business here. */
function modesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/^(?:hooks|branches|description|info|packwire)\b/.test(name))
    .map((name) => `${(statSync(join(path, name)).mode & 0o7777).toString(8)} ${name}`)
    .sort();
}

async function withUmask(mask: number, act: () => Promise<void>): Promise<void> {
  const before = process.umask(mask);
  try {
    await act();
  } finally {
    process.umask(before);
  }
}

async function inBoth(t: TestContext, value: string, mask: number): Promise<void> {
  const root = await scratchDirectory(t);
  const source = makeSource(root);
  await withUmask(mask, async () => {
    const [mine, reference] = [join(root, 'mine.git'), join(root, 'reference.git')];
    for (const path of [mine, reference]) {
      git(root, 'init', '-q', '--bare', `--shared=${value}`, path);
      git(path, 'config', 'core.logAllRefUpdates', 'true');
      git(path, 'config', 'pack.writeReverseIndex', 'true');
    }
    await pushAll(mine, source, ours(mine));
    await pushAll(reference, source, theirs(reference));
    assert.deepEqual(modesIn(mine), modesIn(reference));
  });
}

describe('what a push leaves has the modes that git gives it', { skip: process.platform === 'win32' }, () => {
  for (const value of ['umask', 'group', 'all', '0640', '0600', '0664']) {
    for (const mask of [0o022, 0o077]) {
      test(`shared with ${value}, under the umask 0${mask.toString(8)}`, (t) => inBoth(t, value, mask));
    }
  }
});

describe('initRepository() shares as git init does', { skip: process.platform === 'win32' }, () => {
  for (const value of ['umask', 'group', 'all', '0640']) {
    test(`with ${value}`, async (t) => {
      const root = await scratchDirectory(t);
      await withUmask(0o077, async () => {
        const [mine, reference] = [join(root, 'mine.git'), join(root, 'reference.git')];
        await (await initRepository(mine, { shared: value }))[Symbol.asyncDispose]();
        git(root, 'init', '-q', '--bare', '-b', 'main', `--shared=${value}`, reference);
        assert.deepEqual(modesIn(mine), modesIn(reference));
        const mode = (path: string): number => statSync(path).mode;
        assert.equal(mode(mine), mode(reference));
        const config = (path: string): string => git(path, 'config', '--list', '--local');
        assert.equal(config(mine), config(reference));
      });
    });
  }

  test('and refuses permissions that are none', async (t) => {
    const root = await scratchDirectory(t);
    await assert.rejects(initRepository(join(root, 'r.git'), { shared: '0400' }), {
      code: 'REPOSITORY_INVALID',
    });
    assert.deepEqual(readdirSync(root), []);
  });
});
