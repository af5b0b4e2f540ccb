import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { GitError } from '../../../../src/core/errors.ts';
import type { AdmitMaintenance } from '../../../../src/repository/node/hooks/maintenance.ts';
import { openRepository } from '../../../../src/repository/node/open-repository.ts';
import { git, scratchDirectory } from '../../../support/git.ts';

/** A bare repository with a loose object, in which each run of git's maintenance packs what is loose. */
async function untidy(t: TestContext, admit: AdmitMaintenance) {
  const path = await scratchDirectory(t);
  git(path, 'init', '--quiet', '--bare');
  git(path, 'config', 'maintenance.gc.enabled', 'false');
  git(path, 'config', 'maintenance.loose-objects.enabled', 'true');
  git(path, 'config', 'maintenance.loose-objects.auto', '-1');
  git({ cwd: path, input: 'loose' }, 'hash-object', '-w', '--stdin');
  const repository = await openRepository(path, { maintenance: admit });
  t.after(() => repository[Symbol.asyncDispose]());
  const isTidy = (): boolean =>
    readdirSync(join(path, 'objects/pack')).some((name) => name.endsWith('.pack'));
  const afterPush = () => repository.afterPush?.({ onOutput: async () => undefined, timeoutMs: 60_000 });
  return { path, isTidy, afterPush };
}

test('housekeeping waits for leave, nobody for housekeeping, and its end is seen', async (t) => {
  let letIn = (): void => undefined;
  const leave = new Promise<void>((resolve) => {
    letIn = resolve;
  });
  let onReleased = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    onReleased = resolve;
  });
  const asked: string[] = [];
  const { path, isTidy, afterPush } = await untidy(t, async (gitDirectory) => {
    asked.push(gitDirectory);
    await leave;
    return { release: () => onReleased() };
  });
  await afterPush();
  assert.deepEqual([asked, isTidy()], [[path], false]);
  letIn();
  await released;
  assert.equal(isTidy(), true);
  await afterPush();
  assert.equal(asked.length, 1, 'not after each of many pushes');
});

test('housekeeping that is refused is left to a later push', async (t) => {
  const { isTidy, afterPush } = await untidy(t, async () => {
    throw new GitError('OVERLOADED', 'busy');
  });
  await afterPush();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isTidy(), false);
});
