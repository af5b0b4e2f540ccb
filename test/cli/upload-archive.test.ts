import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { concatBytes } from '../../src/core/bytes.ts';
import { encodePacket, FLUSH_PACKET } from '../../src/protocol/pkt-line.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { packetLine, readPackets } from '../support/packets.ts';
import { runHere } from './run-packwire.ts';

const request = (...args: readonly string[]): Buffer =>
  Buffer.from(concatBytes(...args.map((arg) => encodePacket(`argument ${arg}\n`)), FLUSH_PACKET));

test('upload-archive sends archives through programs that the configuration allows', async (t) => {
  const path = await scratchDirectory(t);
  git('/', 'init', '-q', '-b', 'main', path);
  writeFileSync(join(path, 'file'), 'hello\n');
  git(path, 'add', '.');
  git(path, 'commit', '-qm', 'one');
  git(path, 'config', 'tar.upper.command', 'tr h j');
  git(path, 'config', 'tar.upper.remote', 'true');
  git(path, 'config', 'tar.broken.command', 'exit 3');
  git(path, 'config', 'tar.broken.remote', 'true');

  const good = await runHere(['upload-archive', path], {
    cwd: '/',
    input: request('--format=upper', 'main'),
  });
  const bad = await runHere(['upload-archive', path], {
    cwd: '/',
    input: request('--format=broken', 'main'),
  });

  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /jello/);
  assert.equal(bad.status, 128);
  assert.match(bad.stderr, /fatal: 'exit 3' filter reported error\n/);
});

test('upload-archive answers for a repository that is not there, as git does', async (t) => {
  const path = await scratchDirectory(t);
  const { status, stdout, stderr } = await runHere(['upload-archive', 'none'], {
    cwd: path,
    input: request('HEAD'),
  });
  assert.equal(status, 128);
  const packets = readPackets(Buffer.from(stdout)).map(packetLine);
  assert.deepEqual(packets.slice(0, 3), [
    'ACK',
    '0000',
    "2:fatal: 'none' does not appear to be a git repository\n",
  ]);
  assert.match(stderr, /sent error to the client: git upload-archive: archiver died with error/);
});
