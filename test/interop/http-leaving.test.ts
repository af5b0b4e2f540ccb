import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { git, gitAsync, gitBytes } from '../support/git.ts';
import { eventually } from './http-server.ts';
import { assertClean, commit, ok, refs, scene } from './scene.ts';

test('a client that leaves in the middle of a clone ends the work', async (t) => {
  const { work, remote, server } = await scene(t);
  commit(work, 'large', randomBytes(12 << 20));
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  await eventually(() => server.openCount() === 0, 'the push has ended');

  const tip = git(work, 'rev-parse', 'HEAD').trim();
  const body = `0032want ${tip}\n00000009done\n`;
  const client = httpRequest(`${remote}/git-upload-pack`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-git-upload-pack-request' },
  });
  client.on('error', () => undefined);
  client.end(body);
  const [response] = (await once(client, 'response')) as [IncomingMessage];
  await once(response, 'data');
  assert.equal(server.openCount(), 1);
  response.on('error', () => undefined);
  client.destroy();
  await eventually(() => server.openCount() === 0, 'the clone has ended');
  await eventually(() => server.summaries.at(-1)?.complete === false, 'the log says so');
});

test('a client that leaves in the middle of a push ends the work and leaves nothing', async (t) => {
  const { directory, work, remote, stored, server } = await scene(t);
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  const before = refs(stored);
  commit(work, 'large', randomBytes(2 << 20));
  const tip = git(work, 'rev-parse', 'HEAD').trim();
  const old = git(work, 'rev-parse', 'HEAD~').trim();
  const pack = gitBytes(
    { cwd: work, input: `${tip}\n^${old}\n` },
    'pack-objects',
    '--revs',
    '--stdout',
    '-q',
  );
  const line = `${old} ${tip} refs/heads/main\0 report-status side-band-64k`;
  const command = `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`;

  for (const part of [command.length, command.length + 8, command.length + (pack.length >> 1)]) {
    const client = httpRequest(`${remote}/git-receive-pack`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-git-receive-pack-request', 'transfer-encoding': 'chunked' },
    });
    client.on('error', () => undefined);
    client.write(Buffer.concat([Buffer.from(command), pack]).subarray(0, part));
    await eventually(() => server.openCount() === 1, 'the push has begun');
    if (part > command.length + 100) {
      const incoming = () =>
        readdirSync(join(stored, 'objects')).some((name) => !/^([0-9a-f]{2}|info|pack)$/.test(name));
      await eventually(incoming, 'a quarantine is there');
    }
    client.destroy();
    await eventually(() => server.openCount() === 0, 'the push has ended');
    assertClean(stored);
    assert.equal(refs(stored), before);
  }
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  await ok(gitAsync(directory, 'clone', '-q', remote, 'clone'));
});

test('clones during a push see the old state or the new', async (t) => {
  const { directory, work, remote, stored } = await scene(t);
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  const old = git(work, 'rev-parse', 'HEAD').trim();
  commit(work, 'large', randomBytes(4 << 20));
  const runs = [
    gitAsync(directory, 'clone', '-q', remote, 'a'),
    gitAsync(work, '-c', 'http.postBuffer=65536', 'push', '-q', remote, 'main'),
    gitAsync(directory, '-c', 'protocol.version=0', 'clone', '-q', remote, 'b'),
  ];
  for (const run of runs) await ok(run);
  for (const name of ['a', 'b']) {
    const seen = git(join(directory, name), 'rev-parse', 'HEAD').trim();
    assert.ok([old, git(work, 'rev-parse', 'HEAD').trim()].includes(seen));
    git(join(directory, name), 'fsck', '--strict');
  }
  assertClean(stored);
});
