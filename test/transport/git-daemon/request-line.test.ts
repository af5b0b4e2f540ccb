import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { encodeText } from '../../../src/core/bytes.ts';
import { isGitError } from '../../../src/core/errors.ts';
import { parseDaemonRequest } from '../../../src/transport/git-daemon/request-line.ts';

const parse = (line: string) => parseDaemonRequest(encodeText(line));

for (const [line, expected] of [
  ['git-upload-pack /a.git', { service: 'upload-pack', path: '/a.git', host: undefined, parameters: '' }],
  ['git-upload-pack /a.git\n\0host=Example.ORG\0', { path: '/a.git', host: 'example.org', port: undefined }],
  [
    'git-receive-pack /a b\0host=h:9419\0',
    { service: 'receive-pack', path: '/a b', host: 'h', port: '9419' },
  ],
  ['git-upload-archive ~u/x\0host=[::1]:9\0', { service: 'upload-archive', host: '::1', port: '9' }],
  ['git-upload-pack /a\0host=h\0\0version=2\0', { parameters: 'version=2', protocolVersion: 2 }],
  ['git-upload-pack /a\0host=h\0\0version=1\0x=y\0', { parameters: 'version=1:x=y', protocolVersion: 1 }],
  ['git-upload-pack /a\0\0version=2\0', { host: undefined, protocolVersion: 2 }],
  ['git-upload-pack /a\0host=../../etc\0', { host: 'etc', hostArgument: '../../etc' }],
  ['git-upload-pack /a\0host=..\0', { host: '' }],
] as const) {
  test(`parseDaemonRequest() reads ${JSON.stringify(line)}`, () => {
    const request: Record<string, unknown> = { ...parse(line) };
    for (const [key, value] of Object.entries(expected)) assert.equal(request[key], value, key);
  });
}

for (const line of [
  '',
  'git-upload-pack',
  'git-upload-packs /a',
  'upload-pack /a',
  'git-shell /a',
  'git-upload-pack /a\0port=1\0',
  'git-upload-pack /a\0host=h\0more\0',
  'git-upload-pack /a\0host=[::1\0',
  'git-upload-pack /a\0host=[::1]x\0',
]) {
  test(`parseDaemonRequest() refuses ${JSON.stringify(line)}`, () => {
    assert.throws(() => parse(line), { code: 'PROTOCOL_VIOLATION' });
  });
}

test('parseDaemonRequest() makes a value or a GitError of any bytes, and no host that leads elsewhere', () => {
  const text = fc.stringMatching(/^[a-z./\\:[\]0 =-]{0,30}$/);
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    text.map((host) => encodeText(`git-upload-pack /a\0host=${host}\0`)),
  );
  fc.assert(
    fc.property(anything, (bytes) => {
      try {
        const { host = '', port = '' } = parseDaemonRequest(bytes);
        for (const part of [host, port]) assert.ok(!part.includes('/') && !part.includes('..'));
        assert.ok(!host.startsWith('.'));
      } catch (error) {
        assert.ok(isGitError(error, 'PROTOCOL_VIOLATION'), String(error));
      }
    }),
  );
});
