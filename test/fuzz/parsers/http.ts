/**
 * Parsers of what comes over HTTP around the Git protocol, of repository names and of command lines.
 *
 * @module
 */
import { gzipSync } from 'node:zlib';
import { readArguments, readCount, readSizeBytes } from '../../../src/cli/arguments.ts';
import { parseListenAddress } from '../../../src/cli/listen-address.ts';
import { decodeLatin1, decodeText, encodeLatin1 } from '../../../src/core/bytes.ts';
import { parseRepositoryName } from '../../../src/repository/node/repository-name.ts';
import { createGitServer } from '../../../src/transport/http/git-server.ts';
import { boundedBody, decodeBody, parseContentEncoding } from '../../../src/transport/http/request-body.ts';
import { parseRoute } from '../../../src/transport/http/route.ts';
import { memoryHistory } from '../../support/memory-history.ts';
import { chunked } from '../../support/streams.ts';
import { type FuzzedParser, orRefusal } from '../fuzzed-parser.ts';
import { bytes, NUMBER, oneOf, REF_NAME, sequence, some } from '../grammar.ts';

const PATH = sequence(
  some(
    oneOf('/a.git', '/a', '/..', '/%2e%2e', '/%2F', '/\\', '/%00', '//', '/%', '/%ff', '/\xff', '/.git'),
    4,
  ),
  oneOf('/info/refs', '/git-upload-pack', '/git-receive-pack', '/git-x', '/HEAD', '/objects/info/packs', ''),
);
const QUERY = oneOf(
  '',
  '?service=git-upload-pack',
  '?service=git-receive-pack',
  '?service=',
  '?service=x&service=y',
);
const PATH_WORDS = [
  '/',
  '..',
  '%2e',
  '%2f',
  '%00',
  '\\',
  '/info/refs',
  '/objects/',
  '.git',
  '%c0%af',
  'git-',
];

export async function httpParsers(): Promise<FuzzedParser[]> {
  const { repository } = await memoryHistory();
  const server = createGitServer({ repositories: async (name) => (name === 'a' ? repository : undefined) });
  return [
    route,
    repositoryName,
    {
      name: 'http-request',
      corpus: ['GET /a/info/refs?service=git-upload-pack', 'POST /a/git-upload-pack\n0000'].map(encodeLatin1),
      generate: bytes(
        sequence(
          oneOf('GET ', 'POST ', 'HEAD ', 'PUT '),
          oneOf('/a', PATH),
          PATH,
          QUERY,
          '\n',
          some('0000', 2),
        ),
      ),
      words: [...PATH_WORDS, 'GET ', 'POST ', '0000', '0009done\n'],
      async read(input) {
        const [head = '', body = ''] = decodeLatin1(input).split('\n', 2);
        const [method = '', path = ''] = head.split(' ', 2);
        if (!/^[A-Z]+$/.test(method) || !path.startsWith('/') || !URL.canParse(`http://host${path}`)) return;
        const response = await server.handle(requestOf(method, `http://host${path}`, body));
        await response.arrayBuffer();
        if (response.status >= 500) throw new Error(`answered with ${response.status}`);
      },
    },
    requestBody,
    commandLine,
  ];
}

function requestOf(method: string, url: string, body: string): Request {
  const isForbidden = /^(?:CONNECT|TRACE|TRACK)$/.test(method);
  if (isForbidden) return new Request(url);
  return new Request(url, {
    method,
    ...(method === 'POST'
      ? { body: encodeLatin1(body) as Uint8Array<ArrayBuffer>, headers: { 'content-type': CONTENT_TYPE } }
      : {}),
  });
}

const CONTENT_TYPE = 'application/x-git-upload-pack-request';

const route: FuzzedParser = {
  name: 'http-route',
  corpus: [
    '/a/info/refs?service=git-upload-pack',
    '/a/b.git/git-receive-pack',
    '/a/objects/pack/pack-x.pack',
  ].map(encodeLatin1),
  generate: bytes(sequence(PATH, QUERY)),
  words: PATH_WORDS,
  read(input) {
    const [path = '', query = ''] = decodeLatin1(input).split('?', 2);
    const found = parseRoute(path, new URLSearchParams(query));
    if (
      found.kind !== 'unknown' &&
      found.name.split('/').some((segment) => /^\.{0,2}$|[\\\0]/.test(segment))
    ) {
      throw new Error(`a repository is called ${found.name}`);
    }
  },
};

const repositoryName: FuzzedParser = {
  name: 'repository-name',
  corpus: ['a/b.git', 'a'].map(encodeLatin1),
  generate: bytes(oneOf(PATH, REF_NAME)),
  words: PATH_WORDS,
  read(input) {
    const name = decodeText(input);
    const segments = parseRepositoryName(name, false);
    parseRepositoryName(name, true);
    if (
      segments?.some((segment) => segment === '' || segment.startsWith('.') || segment.includes('/')) === true
    ) {
      throw new Error(`a repository lies at ${name}`);
    }
  },
};

const requestBody: FuzzedParser = {
  name: 'http-body',
  corpus: [gzipSync('0000'), gzipSync(new Uint8Array(100_000)), encodeLatin1('0000')],
  async read(input) {
    const [first = 0] = input;
    parseContentEncoding(decodeLatin1(input));
    const encoding = first === 0x1f ? 'gzip' : first % 2 === 0 ? 'deflate' : 'identity';
    for await (const _ of boundedBody(decodeBody(chunked(input, [64]), encoding), 50_000));
  },
};

const commandLine: FuzzedParser = {
  name: 'command-line',
  corpus: ['--stdin\0--keep=x\0a\0--\0b', '--no-strict\0-v'].map(encodeLatin1),
  generate: bytes(
    some(oneOf('--stdin', '--keep', '--keep=', '--no-stdin', '-v', '-', '--', NUMBER, '--x', 'a'), 6, '\0'),
  ),
  words: ['\0', '--', '=', '--no-', '-'],
  read(input) {
    const text = decodeLatin1(input, 0, Math.min(input.length, 4096)); // of a caller of ours, who is no peer
    const args = text.split('\0');
    orRefusal(() => parseListenAddress(text));
    orRefusal(() => readSizeBytes(text, 'x'));
    orRefusal(() => readCount(text, 'x'));
    const options = {
      stdin: { type: 'boolean' },
      keep: { type: 'string' },
      v: { type: 'boolean', short: 'v' },
    } as const;
    return readArguments(args, options, ['keep']);
  },
};
