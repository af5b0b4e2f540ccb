/** Objects that clients get from elsewhere: what is configured, what is answered, and what the real git makes of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isGitError } from '../../../src/core/errors.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import { readPackfileUris } from '../../../src/protocol/v2/packfile-uris.ts';
import { parseGitConfig } from '../../../src/repository/git-config.ts';
import { serveDirectory } from '../../interop/http-server.ts';
import { git, gitAsync, scratchDirectory } from '../../support/git.ts';
import { memoryHistory } from '../../support/memory-history.ts';
import { packLines } from '../../support/packets.ts';
import { ask, readAnswer } from '../../support/served-repository.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const PACK = 'c'.repeat(40);
const HTTPS = 'https://cdn.example.com/a.pack';

const configOf = (...values: readonly string[]) =>
  parseGitConfig(`[uploadpack]\nallowSidebandAll\n${values.map((v) => `blobPackfileUri = ${v}\n`).join('')}`);

test('where an object can be had is read for the protocols the client has', () => {
  const config = configOf(
    `${A} ${PACK} ${HTTPS}`,
    `${B.toUpperCase()} ${PACK} http://cdn.example.com/b.pack`,
  );
  const read = (...protocols: string[]) => [...readPackfileUris(config, SHA1, protocols)];
  assert.deepEqual(read('https'), [[A, { packHash: PACK, uri: HTTPS }]]);
  assert.deepEqual(
    read('http', 'https').map(([id]) => id),
    [A, B],
  );
  assert.deepEqual(read('htt'), []);
});

for (const values of [
  [`${A} ${HTTPS}`],
  [`${A} ${PACK}`],
  [`${A} ${PACK} "https://example.com/\\n0000"`],
  [`${A.slice(1)} ${PACK} ${HTTPS}`],
  [`${A} ${PACK} ${HTTPS}`, `${A} ${PACK} ${HTTPS}2`],
]) {
  test(`blobPackfileUri = ${values.join(', ')} is refused`, () => {
    assert.throws(
      () => readPackfileUris(configOf(...values), SHA1, ['https']),
      (error) => isGitError(error, 'REPOSITORY_INVALID'),
    );
  });
}

const history = await memoryHistory();
const tip = history.commits.at(-1) as string;
const [blob, other] = history.blobs as [string, string];

/** Lines of the answer to a clone, and how many objects its pack has. */
async function cloneOf(config: string, ...lines: readonly string[]) {
  const repository = { ...history.repository, config: parseGitConfig(config) };
  const request = packLines([
    ...['command=fetch', 'object-format=sha1', '0001', `want ${tip}`, 'ofs-delta', 'no-progress'],
    ...[...lines, 'done', '0000'],
  ]);
  const wire = await ask(repository, { version: 2, request });
  const { lines: packets, pack } = readAnswer(wire);
  return { packets, pack };
}

const configuredFor = (...ids: readonly string[]): string =>
  `[uploadpack]\nallowSidebandAll\n${ids.map((id) => `blobPackfileUri = ${id} ${PACK} ${HTTPS}\n`).join('')}`;
const inBands = (answer: { readonly pack: Uint8Array }): string =>
  Buffer.from(answer.pack).toString('latin1');
const countIn = (text: string): number => Buffer.from(text, 'latin1').readUInt32BE(text.indexOf('PACK') + 8);

test('an object that is to be had elsewhere is named in front of the pack and is not in it', async () => {
  const all = inBands(await cloneOf(configuredFor(), 'sideband-all'));
  const answer = await cloneOf(configuredFor(blob, A, other), 'sideband-all', 'packfile-uris http,https');
  assert.deepEqual(answer.packets.filter((line) => line === '0001').length, 1);
  const text = inBands(answer);
  assert.ok(text.startsWith(`packfile-uris\n${PACK} ${HTTPS}\npackfile\nPACK`), text.slice(0, 200));
  assert.equal(countIn(text), countIn(all) - 2);
});

test('a client that has no such protocol, no bands or no such object gets the whole pack', async () => {
  const whole = countIn(inBands(await cloneOf(configuredFor(), 'sideband-all')));
  for (const [config, lines] of [
    [configuredFor(blob), ['sideband-all', 'packfile-uris ftp']],
    [configuredFor(blob), ['sideband-all']],
    [configuredFor(blob), ['packfile-uris https']],
    [configuredFor(A), ['sideband-all', 'packfile-uris https']],
  ] as const) {
    const text = inBands(await cloneOf(config, ...lines));
    assert.doesNotMatch(text, /packfile-uris/);
    assert.equal(countIn(text), whole, lines.join());
  }
});

/** A server of one file, which is not packwire. */
async function elsewhere(t: TestContext, file: string): Promise<{ url: string; readonly served: string[] }> {
  const served: string[] = [];
  const server = createServer((request, response) => {
    served.push(request.url ?? '');
    response.end(readFileSync(file));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/blob.pack`, served };
}

test('git clones a large blob from elsewhere and all else from here', async (t) => {
  const root = await scratchDirectory(t);
  const [work, stored] = [join(root, 'work'), join(root, 'stored')];
  git(root, 'init', '-q', '-b', 'main', work);
  mkdirSync(join(work, 'sub'));
  writeFileSync(join(work, 'sub/large'), 'large\n'.repeat(1000));
  writeFileSync(join(work, 'small'), 'small\n');
  git(work, 'add', '.');
  git(work, 'commit', '-qm', 'one');
  git(root, 'clone', '-q', '--bare', work, stored);
  git(stored, 'repack', '-adbq');
  const id = git(stored, 'rev-parse', 'main:sub/large').trim();
  const packHash = git(
    { cwd: stored, input: Buffer.from(`${id}\n`) },
    'pack-objects',
    '-q',
    join(root, 'p'),
  ).trim();
  const cdn = await elsewhere(t, join(root, `p-${packHash}.pack`));
  git(stored, 'config', 'uploadpack.allowSidebandAll', 'true');
  git(stored, 'config', 'uploadpack.blobPackfileUri', `${id} ${packHash} ${cdn.url}`);
  const http = await serveDirectory(t, root);

  const clone = join(root, 'clone');
  const config = ['-c', 'protocol.version=2', '-c', 'fetch.uriProtocols=http,https'];
  const cloned = await gitAsync(root, ...config, 'clone', '-q', `${http.url}/stored`, clone);

  assert.deepEqual(cloned, { status: 0, stdout: '', stderr: '' });
  assert.deepEqual(cdn.served, ['/blob.pack']);
  assert.equal(readFileSync(join(clone, 'sub/large'), 'utf8'), 'large\n'.repeat(1000));
  git(clone, 'fsck', '--strict');

  const plain = await gitAsync(root, 'clone', '-q', `${http.url}/stored`, join(root, 'plain'));
  assert.deepEqual([plain.status, cdn.served.length], [0, 1]);
});
