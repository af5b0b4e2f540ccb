/**
 * Requests of the dumb HTTP protocol: any path, any of the headers that choose a part of a file.
 *
 * @module
 */
import { decodeLatin1, encodeLatin1 } from '../../../src/core/bytes.ts';
import { type StoredFile, type StoredFiles, storedFileKind } from '../../../src/odb/stored-files.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { createGitServer } from '../../../src/transport/http/git-server.ts';
import { memoryHistory } from '../../support/memory-history.ts';
import { chunked } from '../../support/streams.ts';
import type { FuzzedParser } from '../fuzzed-parser.ts';
import { bytes, ID, NUMBER, oneOf, sequence, some } from '../grammar.ts';

const CONTENT = Uint8Array.from({ length: 1000 }, (_, i) => i & 0xff);
const VERSION = '1-3e8-17';
const MODIFIED = 'Thu, 01 Jan 2026 00:00:00 GMT';
const PACK = `pack-${'a'.repeat(40)}`;

/** Line by line behind the path; a line that is not there is a header that was not sent. */
const HEADERS = ['range', 'if-range', 'if-none-match', 'if-modified-since'];

const file: StoredFile = {
  sizeBytes: CONTENT.length,
  modifiedMs: Date.parse(MODIFIED),
  version: VERSION,
  async *read(from, to) {
    if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from < to && to <= CONTENT.length))
      throw new Error(`[${from}, ${to}) of a file are asked for`);
    yield CONTENT.slice(from, to);
  },
  [Symbol.asyncDispose]: async () => {},
};

const files: StoredFiles = {
  packNames: async () => [`${PACK}.pack`],
  async open(path) {
    if (storedFileKind(path) === undefined || /(^|\/)\.|[^\w./-]/.test(path))
      throw new Error(`the file ${JSON.stringify(path)} is asked for`);
    return path.includes('f') ? undefined : file;
  },
};

const FILE = oneOf(
  `objects/pack/${PACK}.pack`,
  `objects/pack/${PACK}.idx`,
  `objects/aa/${'a'.repeat(38)}`,
  'objects/info/packs',
  'objects/info/alternates',
  'objects/info/http-alternates',
  'HEAD',
  'info/refs',
  sequence(
    'objects/',
    oneOf('', 'pack/pack-', 'aa/', '../', '%2e%2e/'),
    ID,
    oneOf('', '.pack', '.idx', '.keep'),
  ),
);
const RANGE = sequence(
  oneOf('bytes=', 'bytes=', 'bytes =', 'lines=', ''),
  some(sequence(oneOf('', NUMBER), '-', oneOf('', NUMBER)), 2, ','),
);
const VALIDATOR = oneOf(`"${VERSION}"`, `W/"${VERSION}"`, '*', MODIFIED, '', 'x, "y"', NUMBER);

export async function dumbParsers(): Promise<FuzzedParser[]> {
  const { repository: stored } = await memoryHistory();
  const { objects } = stored;
  const repository: Repository = {
    ...stored,
    objects: {
      format: objects.format,
      files,
      openReader: (options) => objects.openReader(options),
      begin: (options) => objects.begin(options),
      close: async () => {},
    },
  };
  const server = createGitServer({ repositories: async () => repository });
  const request = new Request('http://host/');
  return [
    {
      name: 'http-dumb',
      corpus: [
        `objects/pack/${PACK}.pack\nbytes=10-19\n"${VERSION}"`,
        `objects/pack/${PACK}.idx\nbytes=-5`,
        `objects/aa/${'a'.repeat(38)}\n\n\n\n${MODIFIED}`,
        'HEAD',
      ].map(encodeLatin1),
      generate: bytes(sequence(FILE, '\n', RANGE, some(sequence('\n', VALIDATOR), 3))),
      words: ['bytes=', '-', ',', '\n', '..', '%2e', '%00', '/', 'objects/', '.pack', '"', '*', VERSION],
      async read(input) {
        const [path = '', ...lines] = decodeLatin1(input).split('\n');
        const target = `http://host/a/${path}`;
        if (!URL.canParse(target)) return;
        const header = (name: string): string | null => lines[HEADERS.indexOf(name)] || null;
        const head = { method: 'GET', url: new URL(target), header };
        const { signal } = new AbortController();
        const { status, headers, body } = await server.exchange({
          request,
          head,
          body: chunked(input),
          signal,
        });
        if (status >= 500) throw new Error(`answered with ${status}`);
        let length = 0;
        for await (const chunk of body instanceof Uint8Array ? [body] : (body ?? [])) length += chunk.length;
        checkRange(status, headers, length);
      },
    },
  ];
}

function checkRange(status: number, headers: Headers, length: number): void {
  const declared = headers.get('content-length');
  if (declared !== null && Number(declared) !== length)
    throw new Error(`${length} bytes instead of ${declared}`);
  if (status !== 206) return;
  const [, from, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? [];
  if (Number(last) - Number(from) + 1 !== length || Number(size) !== CONTENT.length)
    throw new Error(`a range is said to be ${headers.get('content-range')}`);
}
