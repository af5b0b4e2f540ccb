/** Commands and features of protocol v2 that a repository offers when its configuration says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLatin1 } from '../../../src/core/bytes.ts';
import type { ClientRequest } from '../../../src/protocol/fetch-context.ts';
import type { UploadPackOptions } from '../../../src/protocol/upload-pack.ts';
import { parseGitConfig } from '../../../src/repository/git-config.ts';
import { memoryHistory } from '../../support/memory-history.ts';
import { packLines } from '../../support/packets.ts';
import { ask, readAnswer } from '../../support/served-repository.ts';

const history = await memoryHistory();
const { commits, blobs, stray } = history;
const tip = commits.at(-1) as string;
const MISSING = 'd'.repeat(40);

const requestOf = (command: string, ...lines: readonly string[]): Uint8Array =>
  packLines([`command=${command}`, 'object-format=sha1', '0001', ...lines, '0000']);

function wireOf(
  config: string,
  request: Uint8Array,
  options: Partial<UploadPackOptions> = {},
): Promise<Uint8Array> {
  const repository = { ...history.repository, config: parseGitConfig(config) };
  return ask(repository, { version: 2, request, options });
}

const linesOf = async (config: string, request: Uint8Array): Promise<readonly string[]> =>
  readAnswer(await wireOf(config, request)).lines;

for (const [config, words] of [
  ['[uploadpack] allowRefInWant', /\nfetch=shallow wait-for-done filter ref-in-want\n/],
  ['[uploadpack] allowSidebandAll\nallowFilter = false', /\nfetch=shallow wait-for-done sideband-all\n/],
  ['[uploadpack] blobPackfileUri = a b c', /\nfetch=shallow wait-for-done filter packfile-uris\n/],
  ['[uploadpack] advertiseBundleURIs', /\nbundle-uri\n/],
  ['[transfer] advertiseObjectInfo', /\nobject-info=size\n/],
  ['[transfer] advertiseSID', /\nsession-id=[0-9a-f-]{36}\n/],
  ['[lsrefs] unborn = allow', /\nls-refs\n/],
] as const) {
  test(`${config} is advertised`, async () => {
    const advertised = await wireOf(config, new Uint8Array(0), { mode: 'advertise' });
    assert.match(decodeLatin1(advertised).replace(/\n[0-9a-f]{4}/g, '\n'), words);
    const plain = await wireOf('', new Uint8Array(0), { mode: 'advertise' });
    assert.doesNotMatch(decodeLatin1(plain).replace(/\n[0-9a-f]{4}/g, '\n'), words);
  });
}

test('object-info tells sizes, and of what may not be wanted no more than of what is not there', async () => {
  const blob = blobs[0] as string;
  const lines = await linesOf(
    '[transfer] advertiseObjectInfo',
    requestOf('object-info', 'size', `oid ${blob}`, `oid ${MISSING}`, `oid ${stray}`),
  );
  assert.equal(lines[0], 'size');
  assert.match(lines[1] as string, new RegExp(`^${blob} [0-9]+$`));
  assert.deepEqual(lines.slice(2), [`${MISSING} `, `${stray} `, '0000']);
});

test('object-info without anything asked about answers with a flush', async () => {
  assert.deepEqual(await linesOf('[transfer] advertiseObjectInfo', requestOf('object-info', 'size')), [
    '0000',
  ]);
});

test('bundle-uri answers with what is configured, but for empty and unprintable values', async () => {
  const config = [
    '[uploadpack] advertiseBundleURIs',
    '[bundle] version = 1\nmode = all\nheuristic =',
    '[bundle "One"] uri = https://example.com/one.bundle',
    '[bundle "two"] uri = "https://example.com/\\n[core]"',
  ].join('\n');
  assert.deepEqual(await linesOf(config, requestOf('bundle-uri')), [
    'bundle.version=1',
    'bundle.mode=all',
    'bundle.One.uri=https://example.com/one.bundle',
    '0000',
  ]);
});

for (const [config, request, error] of [
  ['', requestOf('bundle-uri'), "invalid command 'bundle-uri'"],
  ['', requestOf('object-info'), "invalid command 'object-info'"],
  ['', requestOf('fetch', 'want-ref refs/heads/main', 'done'), "unexpected line: 'want-ref refs/heads/main'"],
  ['', requestOf('fetch', 'sideband-all', 'done'), "unexpected line: 'sideband-all'"],
  ['[uploadpack] advertiseBundleURIs', requestOf('bundle-uri', 'x'), "bundle-uri: unexpected argument: 'x'"],
  [
    '[transfer] advertiseObjectInfo',
    requestOf('object-info', 'type'),
    "object-info: unexpected line: 'type'",
  ],
  [
    '[uploadpack] allowRefInWant',
    requestOf('fetch', 'want-ref refs/heads/none', 'done'),
    'unknown ref refs/heads/none',
  ],
  ['[uploadpack] allowRefInWant', requestOf('fetch', 'want-ref config', 'done'), 'unknown ref config'],
  [
    '[uploadpack] allowRefInWant\nhideRefs = refs/heads',
    requestOf('fetch', 'want-ref refs/heads/main', 'done'),
    'unknown ref refs/heads/main',
  ],
  [
    '[uploadpack] allowRefInWant',
    requestOf('fetch', 'want-ref HEAD', 'want-ref HEAD', 'done'),
    'duplicate want-ref HEAD',
  ],
] as const) {
  test(`${config || 'an empty config'} refuses: ${error}`, async () => {
    assert.deepEqual(await linesOf(config, request), [`ERR ${error}`]);
  });
}

test('wanted-refs come after shallow-info, as git reads them', async () => {
  const request = requestOf('fetch', 'want-ref refs/heads/main', 'deepen 1', 'no-progress', 'done');
  const lines = await linesOf('[uploadpack] allowRefInWant', request);
  assert.deepEqual(lines.slice(0, 7), [
    'shallow-info',
    `shallow ${tip}`,
    '0001',
    'wanted-refs',
    `${tip} refs/heads/main`,
    '0001',
    'packfile',
  ]);
});

test('sideband-all puts every line on band 1 and refusals on band 3', async () => {
  const config = '[uploadpack] allowSidebandAll';
  const wire = decodeLatin1(
    await wireOf(
      config,
      requestOf('fetch', `want ${tip}`, 'deepen 1', 'sideband-all', 'no-progress', 'done'),
    ),
  );
  assert.ok(wire.startsWith('0012\x01shallow-info\n'));
  assert.ok(wire.includes('000e\x01packfile\n'));
  const refused = decodeLatin1(
    await wireOf(config, requestOf('fetch', `want ${MISSING}`, 'sideband-all', 'done')),
  );
  assert.ok(refused.slice(4).startsWith('\x03upload-pack: not our ref'));
});

test('the application is told who asks', async () => {
  const seen: ClientRequest[] = [];
  const request = packLines([
    'command=ls-refs',
    'agent=git/2.0',
    'server-option=one=1',
    'server-option=two',
    'session-id=s',
    'object-format=sha1',
    '0001',
    '0000',
  ]);
  const config = '[transfer] advertiseSID';
  await wireOf(config, request, { onRequest: (told) => seen.push(told) });
  assert.deepEqual(seen, [
    { command: 'ls-refs', agent: 'git/2.0', sessionId: 's', serverOptions: ['one=1', 'two'] },
  ]);
});
