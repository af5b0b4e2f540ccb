/**
 * Parsers of requests that are neither fetch nor push: the first line to a daemon, the arguments of an archive.
 *
 * @module
 */
import { decodeLatin1, encodeLatin1 } from '../../../src/core/bytes.ts';
import { parseArchiveRequest } from '../../../src/repository/archive/archive-request.ts';
import { parseDaemonRequest } from '../../../src/transport/git-daemon/request-line.ts';
import type { FuzzedParser } from '../fuzzed-parser.ts';
import { bytes, NUMBER, oneOf, REF_NAME, sequence, some } from '../grammar.ts';

export const carrierParsers: readonly FuzzedParser[] = [
  {
    name: 'daemon-request',
    corpus: ['git-upload-pack /a.git\0host=x:9418\0\0version=2\0', 'git-receive-pack /a\n'].map(encodeLatin1),
    generate: bytes(
      sequence(
        oneOf('git-upload-pack ', 'git-receive-pack ', 'git-upload-archive ', 'x', ''),
        oneOf('/a.git', '/../a', '~u/a', '/\xff', ''),
        some(oneOf('\0', '\0host=', '\0\0version=', NUMBER, '[::1]:1'), 6),
      ),
    ),
    words: ['\0', 'host=', 'version=', '/', '..', '~', '\n'],
    read: parseDaemonRequest,
  },
  {
    name: 'archive-arguments',
    corpus: ['--format=tar\0--prefix=a/\0main:src\0x', '-9\0--format=zip\0v1'].map(encodeLatin1),
    generate: bytes(
      some(
        oneOf('--format=zip', '--prefix=../', '-0', '-9', '--', '--list', '--mtime=', NUMBER, REF_NAME, '-'),
        6,
        '\0',
      ),
    ),
    words: ['\0', '--', '=', '--format=', '--prefix='],
    read: (input) => parseArchiveRequest(decodeLatin1(input, 0, Math.min(input.length, 4096)).split('\0')),
  },
];
