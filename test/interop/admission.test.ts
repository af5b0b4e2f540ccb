/** What real git sees of a server that counts what it does at once. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { type TestContext } from 'node:test';
import type { Repository } from '../../src/repository/repository.ts';
import { createAdmission } from '../../src/server/admission/admission.ts';
import { admitClients } from '../../src/server/admission/admit-clients.ts';
import { objectBytes } from '../../src/server/admission/object-bytes.ts';
import { type AdmissionOverrides, admissionSettings } from '../../src/server/admission/settings.ts';
import { gitAsync } from '../support/git.ts';
import { assertClean, commit, ok, scene } from './scene.ts';

const IDLE = { eventLoopDelayMs: 0, memoryBytes: 0, freeDiskBytes: 'unknown' } as const;

/** A server that admits as `overrides` say, with one commit pushed. */
async function admittingScene(t: TestContext, overrides: AdmissionOverrides) {
  const admission = createAdmission(admissionSettings(overrides), {
    probe: { read: () => IDLE, close: () => undefined },
  });
  t.after(() => admission[Symbol.dispose]());
  const all = await scene(t, { admit: admitClients(admission) });
  await ok(gitAsync(all.work, 'push', '-q', all.remote, 'main'));
  return { ...all, admission };
}

test('with one place and no queue a second clone is told to come again, and may', async (t) => {
  const { admission, directory, remote, server } = await admittingScene(t, {
    clone: { running: 1, waiting: 0 },
  });
  const repository = {} as Repository;
  const first = await admission.enter({ kind: 'clone', name: 'other', repository, identity: 'somebody' });
  const refused = await gitAsync(directory, 'clone', remote, 'second');
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /The requested URL returned error: 503/);
  assert.equal(server.summaries.at(-1)?.status, 503);
  first.release();
  await ok(gitAsync(directory, 'clone', '-q', remote, 'second'));
  assert.deepEqual(admission.state().work.clone, { running: 0, waiting: 0 });
});

test('with a queue the second waits, and is served', async (t) => {
  const { admission, directory, remote } = await admittingScene(t, { clone: { running: 1, waiting: 1 } });
  const repository = {} as Repository;
  const first = await admission.enter({ kind: 'clone', name: 'other', repository, identity: 'somebody' });
  const cloned = gitAsync(directory, 'clone', '-q', remote, 'second');
  while (admission.state().work.clone.waiting === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  first.release();
  await ok(cloned);
});

test('of a dozen clones at once never more than two run, and all are served', async (t) => {
  const clone = { running: 2, runningEach: 2, runningPerRepository: 2, waiting: 20 };
  const { admission, directory, remote } = await admittingScene(t, { clone });
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, admission.state().work.clone.running)), 1);
  t.after(() => clearInterval(watch));
  await Promise.all(
    Array.from({ length: 12 }, (_, i) => ok(gitAsync(directory, 'clone', '-q', remote, `c${i}`))),
  );
  assert.ok(most >= 1 && most <= 2, `${most} ran`);
  assert.deepEqual(admission.state().work.clone, { running: 0, waiting: 0 });
});

for (const unpackLimit of [100, 1]) {
  test(`a push beyond the quota ends in mid-stream, says why, and leaves nothing (${unpackLimit === 1 ? 'a pack' : 'loose'})`, async (t) => {
    const quotas = { repositoryBytes: 1_000_000 };
    const { admission, work, remote, stored } = await admittingScene(t, { quotas });
    await ok(gitAsync(stored, 'config', 'receive.unpackLimit', String(unpackLimit)));
    const before = await objectBytes(stored);
    commit(work, 'large', randomBytes(4_000_000));
    const push = await gitAsync(work, 'push', remote, 'main');
    assert.notEqual(push.status, 0);
    assert.match(push.stderr, /remote: error: This repository may take 1 MB, and this push does not fit: /);
    assert.match(push.stderr, /\[remote rejected\] main -> main \(unpacker error\)/);
    assertClean(stored);
    assert.equal(await objectBytes(stored), before);
    await ok(gitAsync(work, 'push', '-q', remote, 'HEAD^:refs/heads/small'));
    await ok(gitAsync(work, 'push', '-q', remote, ':refs/heads/small'));
    assert.deepEqual(admission.state().work.push, { running: 0, waiting: 0 });
  });
}

test('of two pushes at once only one fits', async (t) => {
  const { directory, work, remote, stored } = await admittingScene(t, {
    quotas: { repositoryBytes: 1_000_000 },
  });
  await ok(gitAsync(directory, 'clone', '-q', work, 'other'));
  commit(work, 'one', randomBytes(600_000));
  commit(`${directory}/other`, 'two', randomBytes(600_000));
  const pushes = await Promise.all([
    gitAsync(work, 'push', remote, 'main:one'),
    gitAsync(`${directory}/other`, 'push', remote, 'main:two'),
  ]);
  const refused = pushes.filter(({ status }) => status !== 0);
  assert.equal(refused.length, 1);
  assert.match(refused[0]?.stderr ?? '', /This repository may take 1 MB/);
  assertClean(stored);
  assert.ok((await objectBytes(stored)) <= 1_000_000);
});
