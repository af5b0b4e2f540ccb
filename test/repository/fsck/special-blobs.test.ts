import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../../src/core/pace.ts';
import { FsckFindings } from '../../../src/pack/fsck/findings.ts';
import { STRICT_FSCK_RULES } from '../../../src/pack/fsck/rules.ts';
import { checkSpecialBlobs } from '../../../src/repository/fsck/special-blobs.ts';
import { memoryRepository } from '../../support/memory-repository.ts';

/** What is found in a blob of this content that some tree calls `.gitmodules` or `.gitattributes`. */
async function check(
  role: 'gitmodules' | 'gitattributes',
  content: string,
  kind: 'blob' | 'tree' = 'blob',
): Promise<string[]> {
  const repository = memoryRepository();
  const transaction = await repository.objects.begin();
  const id = await transaction.writeObject(kind, Buffer.from(content));
  await transaction.commit();
  const findings = new FsckFindings(STRICT_FSCK_RULES);
  findings.addBlob(role, id);
  const reader = await repository.objects.openReader();
  await checkSpecialBlobs(reader, findings, new Pace(undefined));
  reader.release();
  return [...findings.warnings, ...(findings.error ? [findings.error] : [])].map(
    ({ severity, message, text }) => `${severity} ${message}: ${text}`,
  );
}

const submodule = (name: string, ...settings: readonly string[]) =>
  `[submodule "${name}"]\n${settings.map((line) => `\t${line}\n`).join('')}`;

test('an ordinary .gitmodules has nothing wrong', async () => {
  const content = submodule('lib/a', 'path = lib/a', 'url = ../a.git', 'update = rebase');
  assert.deepEqual(await check('gitmodules', content), []);
});

const REFUSED: readonly (readonly [finding: string, content: string])[] = [
  ['gitmodulesName: disallowed submodule name: ../evil', submodule('../evil', 'path = a')],
  ['gitmodulesName: disallowed submodule name: a\\..\\b', submodule('a\\\\..\\\\b', 'path = a')],
  ['gitmodulesName: disallowed submodule name: ', submodule('', 'path = a')],
  ['gitmodulesPath: disallowed submodule path: -u./payload', submodule('a', 'path = -u./payload')],
  ['gitmodulesUpdate: disallowed submodule update setting: !sh', submodule('a', 'update = !sh')],
];
for (const [finding, content] of REFUSED) {
  test(`a .gitmodules is refused: ${finding}`, async () => {
    assert.deepEqual(await check('gitmodules', content), [`error ${finding}`]);
  });
}

const URLS: readonly (readonly [url: string, isAllowed: boolean])[] = [
  ['https://example.com/a.git', true],
  ['git@example.com:a.git', true],
  ['/srv/a.git', true],
  ['./a.git', true],
  ['../../a.git', true],
  ['https://[::1]:8080/a', true],
  ['-uhttps://example.com', false],
  ['../../:evil.com/a', false],
  ['..//evil.com/a', false],
  ['./%0ahost=evil.com', false],
  ['git://example.com/%0a', false],
  ['https://one.example.com/%0Ahost=two.example.com', false],
  ['http::one.example.com/a', false],
  ['https:///a.git', false],
  ['https://example.com:99999/a', false],
  ['https://example.com/%zz', false],
];
for (const [url, isAllowed] of URLS) {
  test(`the URL ${JSON.stringify(url)} is ${isAllowed ? 'allowed' : 'refused'}`, async () => {
    const found = await check('gitmodules', submodule('a', `url = "${url}"`));
    assert.deepEqual(found, isAllowed ? [] : [`error gitmodulesUrl: disallowed submodule url: ${url}`]);
  });
}

test('what stands before a line that does not parse is checked as well', async () => {
  const found = await check('gitmodules', `${submodule('../a', 'path = a')}[broken`);
  assert.deepEqual(found, [
    'warn gitmodulesParse: could not parse gitmodules blob',
    'error gitmodulesName: disallowed submodule name: ../a',
  ]);
});

test('lines of .gitattributes have a length they may not reach', async () => {
  assert.deepEqual(await check('gitattributes', `${'a'.repeat(2047)}\n${'b'.repeat(2047)}\n`), []);
  assert.deepEqual(await check('gitattributes', `ok\n${'a'.repeat(2048)}`), [
    'error gitattributesLineLength: .gitattributes has too long lines to parse',
  ]);
});

test('what is no blob, or is not there, cannot be used', async () => {
  assert.deepEqual(await check('gitmodules', '', 'tree'), [
    'error gitmodulesBlob: non-blob found at .gitmodules',
  ]);
  const findings = new FsckFindings(STRICT_FSCK_RULES);
  findings.addBlob('gitattributes', '1'.repeat(40));
  const reader = await memoryRepository().objects.openReader();
  await checkSpecialBlobs(reader, findings, new Pace(undefined));
  assert.equal(findings.error?.message, 'gitattributesMissing');
});
