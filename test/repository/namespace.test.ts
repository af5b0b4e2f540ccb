import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import type { ObjectId } from '../../src/core/object-id.ts';
import { receivePack } from '../../src/protocol/receive-pack.ts';
import { uploadPack } from '../../src/protocol/upload-pack.ts';
import { namespacePrefix } from '../../src/refs/namespaced-refs.ts';
import { hiddenWithin, inNamespace } from '../../src/repository/namespace.ts';
import { openRepository } from '../../src/repository/node/files-repository.ts';
import { git, gitBytes, scratchDirectory } from '../support/git.ts';
import { memoryRepository } from '../support/memory-repository.ts';
import { unpackLines } from '../support/packets.ts';
import { drain } from '../support/streams.ts';

for (const [namespace, prefix] of [
  ['a', 'refs/namespaces/a/'],
  ['a/b', 'refs/namespaces/a/refs/namespaces/b/'],
  ['/a//b/', 'refs/namespaces/a/refs/namespaces/b/'],
] as const) {
  test(`the refs of namespace '${namespace}' are below ${prefix}`, () => {
    assert.equal(namespacePrefix(namespace), prefix);
  });
}

for (const namespace of ['', '/', '..', 'a..b', 'a b', 'a.lock', '../x', '.a', 'a\n']) {
  test(`'${JSON.stringify(namespace)}' is no namespace`, () => {
    assert.throws(() => namespacePrefix(namespace), { code: 'INVALID_ARGUMENT' });
  });
}

for (const [pattern, within] of [
  ['refs/tags', ['refs/tags']],
  ['!refs/tags', ['!refs/tags']],
  ['^refs/namespaces/a/refs/tags', ['refs/tags']],
  ['!^refs/namespaces/a/refs/tags/', ['!refs/tags']],
  ['^refs/namespaces', ['refs', 'HEAD']],
  ['^refs/namespaces/a/', ['refs', 'HEAD']],
  ['^refs/heads', []],
  ['^refs/namespaces/ab', []],
] as const) {
  test(`in namespace 'a', hidden '${pattern}' says ${JSON.stringify(within)}`, () => {
    assert.deepEqual(hiddenWithin([pattern], 'refs/namespaces/a/'), within);
  });
}

test('refs are read, listed and changed inside, and nothing outside', async () => {
  const whole = memoryRepository();
  const id = '1'.repeat(40) as ObjectId;
  const update = (name: string) => ({ name, newId: id, expected: undefined });
  await whole.refs.update([update('refs/heads/outside')], { atomic: true });
  const { refs } = inNamespace(whole, 'ns');
  assert.equal(await refs.resolve('HEAD'), undefined);
  await refs.setSymbolic('HEAD', 'refs/heads/main');
  const [outcome] = await refs.update([update('refs/heads/main')], { atomic: true });
  assert.deepEqual(outcome, { name: 'refs/heads/main', ok: true });

  assert.deepEqual(
    (await refs.list()).map(({ name }) => name),
    ['refs/heads/main'],
  );
  assert.deepEqual(await refs.list(['HEAD', 'refs/tags/']), []);
  assert.deepEqual(await refs.read('HEAD'), { kind: 'symbolic', target: 'refs/heads/main' });
  assert.deepEqual(await refs.resolve('HEAD'), { name: 'HEAD', id, symbolicTarget: 'refs/heads/main' });
  assert.equal(await refs.read('refs/heads/outside'), undefined);
  const all = await whole.refs.list();
  assert.deepEqual(
    all.map(({ name }) => name),
    ['refs/heads/outside', 'refs/namespaces/ns/HEAD', 'refs/namespaces/ns/refs/heads/main'],
  );
});

test('a symbolic ref that leads out is shown as what it holds', async () => {
  const whole = memoryRepository();
  const id = '1'.repeat(40) as ObjectId;
  await whole.refs.update([{ name: 'refs/heads/secret', newId: id, expected: undefined }], { atomic: true });
  await whole.refs.setSymbolic('refs/namespaces/ns/HEAD', 'refs/heads/secret');
  const { refs } = inNamespace(whole, 'ns');
  assert.deepEqual(await refs.read('HEAD'), { kind: 'direct', id });
  assert.deepEqual(await refs.resolve('HEAD'), { name: 'HEAD', id, symbolicTarget: undefined });
});

/** In any order, without capabilities. */
function linesOf(wire: Uint8Array): string[] {
  return unpackLines(wire)
    .map((line) => line.replace(/\\0.*/, ''))
    .filter((line) => !line.endsWith('capabilities^{}')) // not every version of git says so
    .sort();
}

async function advertised(
  path: string,
  service: typeof uploadPack | typeof receivePack,
  namespace: string | undefined,
): Promise<string[]> {
  await using opened = await openRepository(path);
  const repository = namespace === undefined ? opened : inNamespace(opened, namespace);
  const options = { mode: 'advertise', protocolVersion: 0, limits: DEFAULT_LIMITS } as const;
  const answer = await drain(service(repository, (async function* () {})(), options));
  return linesOf(answer);
}

test('what is advertised is what git advertises', async (context) => {
  const root = await scratchDirectory(context);
  const path = join(root, 'r.git');
  git(root, 'init', '-q', '--bare', '-b', 'main', path);
  const tree = git({ cwd: path, input: '' }, 'mktree').trim();
  const ids = ['one', 'two', 'three'].map((text) => git(path, 'commit-tree', '-m', text, tree).trim());
  const names = [
    'refs/heads/main',
    'refs/namespaces/a/refs/heads/x',
    'refs/namespaces/a/refs/namespaces/b/refs/tags/t',
  ];
  for (const [i, name] of names.entries()) git(path, 'update-ref', name, ids[i] as string);
  git(path, 'symbolic-ref', 'refs/namespaces/a/HEAD', 'refs/namespaces/a/refs/heads/x');
  appendFileSync(join(path, 'config'), '[transfer]\nhideRefs = ^refs/heads\nhideRefs = refs/secret\n');
  for (const namespace of ['a', 'a/b', 'none', undefined]) {
    for (const [service, name] of [
      [uploadPack, 'upload-pack'],
      [receivePack, 'receive-pack'],
    ] as const) {
      const env = namespace === undefined ? {} : { GIT_NAMESPACE: namespace };
      // A namespace's HEAD is below refs/, and so git's receive-pack shows it: of no use to a push.
      const isOfUse = (line: string) => service !== receivePack || !line.endsWith(' HEAD');
      const said = gitBytes({ cwd: path, env }, name, '--advertise-refs', '.');
      const expected = linesOf(said).filter(isOfUse);
      assert.deepEqual(await advertised(path, service, namespace), expected, `${name} ${namespace}`);
    }
  }
});
