/** Answers of the whole server to who writes all of a large request before reading, on a connection that then ends. */
import '../support/failing-disk.ts';
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { BLOB } from '../../src/core/object-kind.ts';
import { startConfigured } from '../support/configured-server.ts';
import { failDisk, NO_FAILING_DISK } from '../support/failing-disk.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { packOf, wholeEntry } from '../support/pack-builder.ts';
import { pushRequest } from '../support/push-client.ts';

/** So much that no system takes it off a client's hands unless somebody reads it. */
const LARGE_BYTES = 16_000_000;
const CONTENT = randomBytes(LARGE_BYTES);

async function scene(t: TestContext, settings: Readonly<Record<string, unknown>>): Promise<number> {
  const root = join(await scratchDirectory(t), 'root');
  mkdirSync(root);
  git(root, 'init', '-q', '--bare', 'app.git');
  const server = await startConfigured(t, { root, ...settings });
  return Number(new URL(server.urls[0] as string).port);
}

function pushOf(content: Uint8Array): Uint8Array {
  const id = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
  return pushRequest({
    commands: [`${'0'.repeat(40)} ${id} refs/tags/large`],
    capabilities: 'report-status side-band-64k',
    pack: packOf([wholeEntry(BLOB, content)]),
  });
}

/** @throws when the connection is reset while it writes */
async function writeAllThenRead(port: number, service: string, body: Uint8Array): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.pause();
  const head =
    `POST /app.git/${service} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n` +
    `Content-Type: application/x-${service}-request\r\nContent-Length: ${body.length}\r\n\r\n`;
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.write(concatBytes(encodeText(head), body), (error) => (error ? reject(error) : resolve()));
  });
  let text = '';
  for await (const chunk of socket) text += Buffer.from(chunk as Uint8Array).toString('latin1');
  return text;
}

const OPEN = { rules: [{ repositories: ['**'], subjects: ['@all'], allow: ['read', 'write'] }] };

test('401 comes through', async (t) => {
  const access = { rules: [{ repositories: ['**'], subjects: ['@users'], allow: ['read', 'write'] }] };
  const port = await scene(t, { access });
  const answer = await writeAllThenRead(port, 'git-receive-pack', pushOf(CONTENT));
  assert.match(answer, /^HTTP\/1\.1 401 [\s\S]*www-authenticate: Basic/i);
});

test('413 comes through', async (t) => {
  const port = await scene(t, { access: OPEN, limits: { maxFetchRequestBytes: '1m' } });
  const answer = await writeAllThenRead(port, 'git-upload-pack', CONTENT);
  assert.match(answer, /^HTTP\/1\.1 413 [\s\S]*at most 1048576 bytes are allowed/);
});

test('503 of a push that is shed comes through', async (t) => {
  const port = await scene(t, { access: OPEN, admission: { shed: { freeDiskBytes: 1e15 } } });
  const small = pushOf(encodeText('small'));
  for (let i = 0; i < 100; i++) {
    if (/^HTTP\/1\.1 503/.test(await writeAllThenRead(port, 'git-receive-pack', small))) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const answer = await writeAllThenRead(port, 'git-receive-pack', pushOf(CONTENT));
  assert.match(answer, /^HTTP\/1\.1 503 [\s\S]*retry-after: \d+[\s\S]*almost out of disk space/i);
});

test('the report of a disk that is full comes through', { skip: NO_FAILING_DISK }, async (t) => {
  const port = await scene(t, { access: OPEN, admission: { shed: { freeDiskBytes: 0 } } });
  failDisk(t, { operations: ['write'], path: /tmp_objdir-incoming/ });
  const answer = await writeAllThenRead(port, 'git-receive-pack', pushOf(CONTENT));
  assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*no space left[\s\S]*ng refs\/tags\/large unpacker error/);
});

test('git shows why a push is shed, and reads go on', async (t) => {
  const port = await scene(t, { access: OPEN, admission: { shed: { freeDiskBytes: 1e15 } } });
  const work = await scratchDirectory(t);
  git(work, 'init', '-q', '-b', 'main');
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  const url = `http://127.0.0.1:${port}/app.git`;
  let stderr = '';
  for (let i = 0; i < 40 && !stderr.includes('returned error: 503'); i++) {
    // Of nothing, until the disk has been looked at.
    ({ stderr } = await gitAsync(work, 'push', url, ':refs/heads/absent'));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const pushed = await gitAsync(work, 'push', url, 'main');
  assert.notEqual(pushed.status, 0);
  assert.match(
    pushed.stderr,
    /remote: The server is almost out of disk space and takes no pushes for now; try again in \d+ s/,
  );
  assert.equal((await gitAsync(work, 'ls-remote', url)).status, 0);
});
