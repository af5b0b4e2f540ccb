import assert from 'node:assert/strict';
import test from 'node:test';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { uploadArchive } from '../../src/protocol/upload-archive.ts';
import { openRepository } from '../../src/repository/node/open-repository.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { packetLine, packLines, readPackets } from '../support/packets.ts';
import { chunked, drain } from '../support/streams.ts';

/** A title for the window, in escape sequences of 7 and of 8 bits. */
const HOSTILE = ['\\033]0;owned\\007', '\\302\\2330;owned', 'two\\nlines'];

test('the name of a file in an archive moves no cursor in the terminal of who asks for it', async (t) => {
  const directory = await scratchDirectory(t);
  git(directory, 'init', '-q', '--bare', '-b', 'main', '.');
  const files = HOSTILE.map((name) => `M 100644 inline "${name}"\ndata 0\n\n`).join('');
  const commit = `commit refs/heads/main\ncommitter A <a@example.com> 1 +0000\ndata 0\n\n${files}`;
  git({ cwd: directory, input: commit }, 'fast-import', '--quiet');
  await using repository = await openRepository(directory);
  const request = packLines(['argument -v', 'argument HEAD', '0000']);
  const wire = await drain(
    uploadArchive(repository, chunked(request), { mode: 'stateful', limits: DEFAULT_LIMITS }),
  );
  const told = readPackets(wire)
    .map(packetLine)
    .filter((line) => line.startsWith('2:'))
    .map((line) => Buffer.from(line.slice(2), 'latin1').toString('utf8'))
    .join('');
  assert.equal(told.split('\n').length, HOSTILE.length + 1);
  assert.doesNotMatch(told.replaceAll('\n', ''), /\p{Cc}/u);
});
