/** What real git sees of answers that come before it has sent all of a large push. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { createAdmission } from '../../src/server/admission/admission.ts';
import { admitClients } from '../../src/server/admission/admit-clients.ts';
import { admissionSettings } from '../../src/server/admission/settings.ts';
import { git, gitAsync } from '../support/git.ts';
import { eventually } from './http-server.ts';
import { assertClean, commit, ok, scene } from './scene.ts';

const LARGE_BYTES = 20_000_000;

for (const [framing, postBuffer] of [
  ['in chunks', '65536'],
  ['with a length', '100000000'],
] as const) {
  test(`git sees why a large push is refused that it sends ${framing}`, async (t) => {
    const readings = { eventLoopDelayMs: 0, memoryBytes: 0, freeDiskBytes: 1e12 };
    const admission = createAdmission(admissionSettings({ quotas: { repositoryBytes: 1_000_000 } }), {
      probe: { read: () => ({ ...readings }), close: () => undefined },
    });
    t.after(() => admission[Symbol.dispose]());
    const { work, remote, stored } = await scene(t, { admit: admitClients(admission) });
    await ok(gitAsync(work, 'push', '-q', remote, 'main:small'));
    git(work, 'config', 'core.compression', '0'); // of random bytes it takes long, and gains nothing
    commit(work, 'large', randomBytes(LARGE_BYTES));
    const push = (...config: string[]) =>
      gitAsync(work, '-c', `http.postBuffer=${postBuffer}`, ...config, 'push', remote, 'main');

    // Proxies that speak HTTP/1.0 end every connection, as nginx does unless it is told otherwise.
    for (const config of [[], ['-c', 'http.extraHeader=Connection: close']]) {
      const { stderr } = await push(...config);
      assert.match(stderr, /remote: error: This repository may take 1 MB, and this push does not fit/);
      assert.match(stderr, /error: failed to push some refs to/);
      assert.doesNotMatch(stderr, /RPC failed|hung up|Everything up-to-date/);
    }
    readings.freeDiskBytes = 0;
    await eventually(() => admission.state().shed.length > 0, 'the disk is seen to be full');
    for (const config of [[], ['-c', 'http.extraHeader=Connection: close']]) {
      const { stderr } = await push(...config);
      assert.match(stderr, /HTTP 503/); // git shows no more of an answer to what it has sent
    }
    assertClean(stored);
  });
}
