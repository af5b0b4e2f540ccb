import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { GitError } from '../../../src/core/errors.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { encodePacket } from '../../../src/protocol/pkt-line.ts';
import { createMemoryRepository } from '../../../src/repository/memory-repository.ts';
import { createGitServer } from '../../../src/transport/http/git-server.ts';
import type { GitServerOptions } from '../../../src/transport/http/options.ts';

const UPLOAD_REQUEST = 'application/x-git-upload-pack-request';
const RECEIVE_REQUEST = 'application/x-git-receive-pack-request';

function server(options: Partial<GitServerOptions> = {}) {
  const repository = createMemoryRepository({ runtime: nodeRuntime });
  const errors: unknown[] = [];
  const git = createGitServer({
    repositories: async (name) => (name === 'a.git' ? repository : undefined),
    onError: (error) => void errors.push(error),
    ...options,
  });
  return {
    errors,
    ask: (method: string, target: string, headers: Record<string, string> = {}, body?: BodyInit) =>
      git.handle(
        new Request(`http://h${target}`, {
          method,
          headers,
          ...(body === undefined ? {} : { body, duplex: 'half' }),
        } as RequestInit),
      ),
  };
}

const upload = { 'content-type': UPLOAD_REQUEST };
const receive = { 'content-type': RECEIVE_REQUEST };
const v2 = { ...upload, 'git-protocol': 'version=2' };
const LS_REFS = `${Buffer.from(encodePacket('command=ls-refs\n'))}0000`;

for (const [method, target, headers, body, status, type] of [
  [
    'GET',
    '/a.git/info/refs?service=git-upload-pack',
    {},
    undefined,
    200,
    'application/x-git-upload-pack-advertisement',
  ],
  [
    'HEAD',
    '/a.git/info/refs?service=git-upload-pack',
    {},
    undefined,
    200,
    'application/x-git-upload-pack-advertisement',
  ],
  [
    'GET',
    '/a.git/info/refs?service=git-receive-pack',
    {},
    undefined,
    200,
    'application/x-git-receive-pack-advertisement',
  ],
  ['POST', '/a.git/git-upload-pack', v2, LS_REFS, 200, 'application/x-git-upload-pack-result'],
  ['POST', '/a.git/git-upload-pack', upload, '0000', 200, 'application/x-git-upload-pack-result'],
  ['POST', '/a.git/git-upload-pack', v2, '0000', 200, 'application/x-git-upload-pack-result'],
  ['POST', '/a.git/git-receive-pack', receive, '0000', 200, 'application/x-git-receive-pack-result'],
  ['GET', '/b.git/info/refs?service=git-upload-pack', {}, undefined, 404, 'text/plain'],
  ['POST', '/b.git/git-upload-pack', upload, '0000', 404, 'text/plain'],
  ['GET', '/', {}, undefined, 404, 'text/plain'],
  ['GET', '/..%2fa.git/info/refs?service=git-upload-pack', {}, undefined, 404, 'text/plain'],
  ['GET', '/a.git/info/refs', {}, undefined, 403, 'text/plain'],
  ['GET', '/a.git/HEAD', {}, undefined, 403, 'text/plain'],
  ['GET', '/a.git/info/refs?service=git-upload-archive', {}, undefined, 403, 'text/plain'],
  ['GET', '/a.git/info/refs?service=__proto__', {}, undefined, 403, 'text/plain'],
  ['POST', '/a.git/git-upload-nothing', {}, '0000', 403, 'text/plain'],
  ['POST', '/a.git/info/refs?service=git-upload-pack', {}, '0000', 405, 'text/plain'],
  ['GET', '/a.git/git-upload-pack', {}, undefined, 405, 'text/plain'],
  ['PUT', '/a.git/git-upload-pack', upload, '0000', 405, 'text/plain'],
  ['POST', '/a.git/git-upload-pack', {}, '0000', 415, 'text/plain'],
  ['POST', '/a.git/git-upload-pack', receive, '0000', 415, 'text/plain'],
  ['POST', '/a.git/git-upload-pack', { 'content-type': `${UPLOAD_REQUEST}; x=y` }, '0000', 415, 'text/plain'],
  ['POST', '/a.git/git-upload-pack', { ...upload, 'content-encoding': 'br' }, '0000', 415, 'text/plain'],
  ['POST', '/a.git/git-upload-pack', { ...upload, 'content-length': '99999999' }, '0000', 413, 'text/plain'],
] as const) {
  const shown = Object.entries(headers).map(([name, value]) => ` ${name}: ${value}`);
  test(`${method} ${target}${shown} is answered ${status}`, async () => {
    const response = await server().ask(method, target, headers, body);
    assert.equal(response.status, status);
    assert.equal(response.headers.get('content-type')?.split(';')[0], type);
    assert.equal(response.headers.get('cache-control'), 'no-cache, max-age=0, must-revalidate');
    assert.equal(response.headers.get('pragma'), 'no-cache');
    assert.equal(response.headers.get('expires'), 'Fri, 01 Jan 1980 00:00:00 GMT');
    const text = await response.text();
    if (status !== 200) assert.match(text, /^[\x20-\x7e]+\n$/);
  });
}

for (const [target, allow] of [
  ['/a.git/info/refs?service=git-upload-pack', 'GET, HEAD'],
  ['/a.git/git-upload-pack', 'POST'],
] as const) {
  test(`DELETE ${target} says what is allowed: ${allow}`, async () => {
    const response = await server().ask('DELETE', target);
    assert.equal(response.headers.get('allow'), allow);
  });
}

// http-backend leaves the service line away whenever version 2 is asked for, though receive-pack has none.
for (const [service, protocol, begins] of [
  ['git-upload-pack', undefined, '001e# service=git-upload-pack\n0000'],
  ['git-upload-pack', 'version=1', '001e# service=git-upload-pack\n0000000eversion 1\n'],
  ['git-upload-pack', 'version=2', '000eversion 2\n'],
  ['git-receive-pack', undefined, `001f# service=git-receive-pack\n0000`],
  ['git-receive-pack', 'version=2', /^[0-9a-f]{4}0{40} capabilities\^\{\}\0/],
] as const) {
  test(`${service} under Git-Protocol ${protocol} advertises as http-backend does`, async () => {
    const headers = protocol === undefined ? {} : { 'git-protocol': protocol };
    const text = await (await server().ask('GET', `/a.git/info/refs?service=${service}`, headers)).text();
    if (typeof begins === 'string') assert.equal(text.slice(0, begins.length), begins);
    else assert.match(text, begins);
  });
}

test('HEAD has no body', async () => {
  const response = await server().ask('HEAD', '/a.git/info/refs?service=git-upload-pack');
  assert.equal(await response.text(), '');
});

test('the lone flush before a chunked push is answered with nothing', async () => {
  for (const [target, headers] of [
    ['/a.git/git-upload-pack', upload],
    ['/a.git/git-receive-pack', receive],
  ] as const) {
    assert.equal(await (await server().ask('POST', target, headers, '0000')).text(), '');
  }
});

for (const encoding of ['gzip', 'x-gzip', 'deflate']) {
  test(`a request compressed with ${encoding} is answered as the same one bare`, async () => {
    const bare = await (await server().ask('POST', '/a.git/git-upload-pack', v2, LS_REFS)).text();
    const body = encoding === 'deflate' ? zlib.deflateSync(LS_REFS) : zlib.gzipSync(LS_REFS);
    const headers = { ...v2, 'content-encoding': encoding };
    assert.equal(await (await server().ask('POST', '/a.git/git-upload-pack', headers, body)).text(), bare);
  });
}

test('a request that is not compressed as it says is refused', async () => {
  const headers = { ...v2, 'content-encoding': 'gzip' };
  const { ask, errors } = server();
  const text = await (await ask('POST', '/a.git/git-upload-pack', headers, LS_REFS)).text();
  assert.match(text, /no complete gzip stream/);
  assert.equal((errors[0] as GitError).code, 'PROTOCOL_VIOLATION');
});

test('a fetch request that inflates beyond its limit is refused', async () => {
  const { ask, errors } = server({ limits: { maxFetchRequestBytes: 100_000 } });
  const bomb = zlib.gzipSync(`${LS_REFS.slice(0, -4)}0001${'0009peel\n'.repeat(3_000_000)}`);
  await (await ask('POST', '/a.git/git-upload-pack', { ...v2, 'content-encoding': 'gzip' }, bomb)).text();
  assert.equal((errors[0] as GitError).code, 'LIMIT_EXCEEDED');
});

test('the authorizer is asked first, and its answer given', async () => {
  const asked: string[] = [];
  const { ask } = server({
    authorize: async ({ operation, name }) => {
      asked.push(`${operation} ${name}`);
      return operation === 'fetch'
        ? { allow: true }
        : {
            allow: false,
            status: 401,
            message: 'Sign in to push',
            headers: { 'www-authenticate': 'Basic realm="git"' },
          };
    },
  });
  assert.equal((await ask('GET', '/a.git/info/refs?service=git-upload-pack')).status, 200);
  for (const response of [
    await ask('GET', '/a.git/info/refs?service=git-receive-pack'),
    await ask('POST', '/no/such/git-receive-pack', receive, '0000'),
  ]) {
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('www-authenticate'), 'Basic realm="git"');
    assert.equal(await response.text(), 'Sign in to push\n');
  }
  assert.deepEqual(asked, ['fetch a.git', 'push a.git', 'push no/such']);
});

for (const [error, status, text] of [
  [new GitError('STORAGE_FAILED', '/secret/path is full'), 500, 'Internal server error\n'],
  [new GitError('REPOSITORY_INVALID', '/secret/path is broken'), 500, 'Internal server error\n'],
  [new GitError('ACCESS_DENIED', 'Ask the owner'), 403, 'Ask the owner\n'],
  [new TypeError('a bug in /secret/path'), 500, 'Internal server error\n'],
] as const) {
  test(`${error.name} ${'code' in error ? error.code : ''} from the resolver becomes ${status}`, async () => {
    const { ask, errors } = server({ repositories: () => Promise.reject(error) });
    const response = await ask('GET', '/a.git/info/refs?service=git-upload-pack');
    assert.equal(response.status, status);
    assert.equal(await response.text(), text);
    assert.deepEqual(errors, [error]);
  });
}

test('a repository is disposed once, whatever becomes of the request', async () => {
  let disposed = 0;
  const repository = {
    ...createMemoryRepository({ runtime: nodeRuntime }),
    [Symbol.asyncDispose]: async () => void disposed++,
  };
  const { ask } = server({ repositories: async () => repository });
  const target = '/a.git/info/refs?service=git-upload-pack';
  await (await ask('GET', target)).text();
  assert.equal(disposed, 1);
  await ask('HEAD', target);
  assert.equal(disposed, 2);
  await (await ask('GET', target)).body?.cancel();
  assert.equal(disposed, 3);
  await (await ask('POST', '/a.git/git-upload-pack', upload, 'zzzz')).text();
  assert.equal(disposed, 4);
});

test('handle() answers whatever it is sent', async () => {
  const { ask } = server();
  const path = fc
    .array(
      fc.oneof(
        fc.constantFrom('a.git', 'info', 'refs', '..', '%2f', 'git-upload-pack', 'git-receive-pack'),
        fc.webSegment(),
      ),
    )
    .map((segments) => `/${segments.join('/')}`);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'),
      fc.oneof(path, fc.constantFrom('/a.git/git-upload-pack', '/a.git/git-receive-pack')),
      fc.constantFrom('', '?service=git-upload-pack', '?service=git-receive-pack', '?service=%ff'),
      fc.dictionary(
        fc.constantFrom('content-type', 'content-encoding', 'git-protocol', 'accept'),
        fc.oneof(
          fc.constantFrom(UPLOAD_REQUEST, RECEIVE_REQUEST, 'gzip', 'version=2'),
          fc.stringMatching(/^[!-~]*$/),
        ),
      ),
      fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(Buffer.from('0000'), Buffer.from(LS_REFS))),
      async (method, target, query, headers, body) => {
        const hasBody = method === 'POST' || method === 'PUT';
        const response = await ask(
          method,
          target + query,
          headers,
          hasBody ? (body as Uint8Array<ArrayBuffer>) : undefined,
        );
        assert.ok(response.status >= 200 && response.status < 600);
        await response.arrayBuffer();
      },
    ),
    { numRuns: 150 },
  );
});
