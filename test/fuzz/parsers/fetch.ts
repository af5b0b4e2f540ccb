/**
 * Parsers of fetch requests, one by one and as the services put them together.
 *
 * @module
 */
import { decodeLatin1, encodeLatin1 } from '../../../src/core/bytes.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../src/core/limits.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import { parseCapabilities } from '../../../src/protocol/capabilities.ts';
import { DepthRequestParser } from '../../../src/protocol/depth-request.ts';
import { PacketReader } from '../../../src/protocol/packet-reader.ts';
import { decodePacket, payloadText } from '../../../src/protocol/pkt-line.ts';
import { type ProtocolVersion, parseProtocolVersion } from '../../../src/protocol/service.ts';
import { uploadPack } from '../../../src/protocol/upload-pack.ts';
import { UploadRequestParser } from '../../../src/protocol/v0/parse-upload-request.ts';
import { FetchRequestParser } from '../../../src/protocol/v2/parse-fetch-request.ts';
import { LsRefsParser } from '../../../src/protocol/v2/parse-ls-refs.ts';
import { parseGitConfig } from '../../../src/repository/git-config.ts';
import { filterBounds, parseObjectFilter } from '../../../src/repository/object-filter.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { SparsePatterns } from '../../../src/repository/sparse-patterns.ts';
import { type MemoryHistory, memoryHistory } from '../../support/memory-history.ts';
import { chunked } from '../../support/streams.ts';
import type { FuzzedParser } from '../fuzzed-parser.ts';
import { bytes, ID, NUMBER, oneOf, packet, REF_NAME, type Rule, sequence, some } from '../grammar.ts';

/** Small, so that inputs of 64 KiB reach them. */
const LIMITS: Limits = { ...DEFAULT_LIMITS, maxWants: 500, maxShallowLines: 500, maxRefPrefixes: 500 };
const RULES = {
  format: SHA1,
  limits: LIMITS,
  allowFilter: true,
  allowRefInWant: true,
  allowSidebandAll: true,
  allowPackfileUris: true,
  filterRules: { allowed: new Map([['tree', true]]), allowsOthers: true, maxTreeDepth: 100 },
};

const FILTER: Rule = (random) =>
  oneOf(
    'blob:none',
    sequence('blob:limit=', NUMBER),
    sequence('tree:', NUMBER),
    sequence('object:type=', oneOf('commit', 'tag', 'tree', 'blob', 'blub', '')),
    sequence('sparse:oid=', oneOf(ID, 'main:.gitmodules', ':', '')),
    sequence('sparse:path=', REF_NAME),
    sequence(
      'combine:',
      some(
        random.below(4) === 0 ? FILTER : oneOf('blob:none', 'tree%3A1', 'blob%3alimit=1', '%', '%zz', '%2'),
        5,
        '+',
      ),
    ),
  )(random);

const CAPABILITY = oneOf(
  'multi_ack',
  'multi_ack_detailed',
  'side-band',
  'side-band-64k',
  'thin-pack',
  'ofs-delta',
  'no-progress',
  'no-done',
  'include-tag',
  'deepen-relative',
  'filter',
  'object-format=sha1',
  'object-format=sha256',
  'object-format',
  'agent=git/2.39',
  'session-id=\x00',
  '=',
  '__proto__=1',
  'constructor',
  '',
);
const DEPTH_LINE = oneOf(
  sequence('shallow ', ID),
  sequence('deepen ', NUMBER),
  sequence('deepen-since ', NUMBER),
  sequence('deepen-not ', REF_NAME),
  'deepen-relative',
);
const LINE_END = oneOf('\n', '\n', '\n', '', '\r\n', '\0\n');
const UPLOAD_REQUEST = sequence(
  packet(sequence('want ', ID, ' ', some(CAPABILITY, 6, ' '), LINE_END)),
  some(packet(sequence(oneOf(sequence('want ', ID), DEPTH_LINE, sequence('filter ', FILTER)), LINE_END)), 8),
  oneOf('0000', '0000', '0001', ''),
);
const V2_FETCH_LINE = oneOf(
  sequence('want ', ID),
  sequence('have ', ID),
  sequence('want-ref ', REF_NAME),
  sequence('filter ', FILTER),
  DEPTH_LINE,
  oneOf('done', 'thin-pack', 'no-progress', 'include-tag', 'ofs-delta', 'wait-for-done', 'sideband-all'),
);
const LS_REFS_LINE = oneOf('peel', 'symrefs', 'unborn', sequence('ref-prefix ', REF_NAME), 'ref-prefix ');
const EVERYTHING = `[uploadpack]
  allowFilter
  allowRefInWant
  allowSidebandAll
  advertiseBundleURIs
[transfer]
  advertiseObjectInfo
[bundle]
  version = 1
`;
const COMMON_WORDS = ['want ', 'have ', 'done', '0000', '0001', '0002', '0032', 'deepen ', '\0', '\n', ' '];

export async function fetchParsers(): Promise<FuzzedParser[]> {
  const history = await memoryHistory();
  const repository = { ...history.repository, config: parseGitConfig(EVERYTHING) };
  const v0 = requestsOfV0(history);
  const v2 = requestsOfV2(history);
  return [
    pktLine,
    inLines('upload-request', UPLOAD_REQUEST, v0, () => new UploadRequestParser(RULES)),
    inLines('ls-refs', some(packet(sequence(LS_REFS_LINE, LINE_END)), 8), v2, () => new LsRefsParser(LIMITS)),
    inLines(
      'fetch-v2',
      some(packet(sequence(V2_FETCH_LINE, LINE_END)), 8),
      v2,
      () => new FetchRequestParser(RULES),
    ),
    inLines('depth-lines', some(packet(DEPTH_LINE), 8), [], () => {
      const parser = new DepthRequestParser(SHA1, LIMITS);
      return { read: (line) => parser.read(line), finish: () => parser.finish() };
    }),
    capabilities,
    filterSpec,
    sparsePatterns,
    service('upload-pack-v0', repository, 0, v0, UPLOAD_CONVERSATION),
    service('upload-pack-v2', repository, 2, v2, V2_COMMAND),
  ];
}

const pktLine: FuzzedParser = {
  name: 'pkt-line',
  corpus: ['0000', '0001', '0006a\n', '0005a0000', 'fff0', '0009hello', '0004'].map(encodeLatin1),
  generate: bytes(some(packet(some(oneOf('a', '\n', '\0', '0000'), 80)), 6)),
  words: COMMON_WORDS,
  async read(input) {
    const sizes = [1 + ((input[0] ?? 0) % 64), 1 + ((input[1] ?? 0) % 4096)];
    const reader = new PacketReader(chunked(input, sizes), 32 * 1024);
    while ((await reader.next()) !== undefined);
  },
};

const capabilities: FuzzedParser = {
  name: 'capabilities',
  corpus: [encodeLatin1(' multi_ack side-band-64k agent=git/2.39 object-format=sha1')],
  generate: bytes(some(CAPABILITY, 12, ' ')),
  read(input) {
    const text = decodeLatin1(input);
    return [parseCapabilities(text), parseProtocolVersion(text)];
  },
};

const filterSpec: FuzzedParser = {
  name: 'filter-spec',
  corpus: ['blob:none', 'blob:limit=1k', 'tree:0', 'combine:blob:none+tree:3', 'sparse:oid=main:x'].map(
    encodeLatin1,
  ),
  generate: bytes(FILTER),
  words: ['combine:', 'blob:limit=', 'tree:', '+', '%25', '%2B', 'combine%3A', 'sparse:oid=', 'g', '%'],
  read: (input) => filterBounds(parseObjectFilter(payloadText(input))),
};

const PATHS = ['', 'a', 'a/b', 'src/main/java/x.java', 'a b', '\xff\xfe', 'x'.repeat(200), 'a/'.repeat(60)];
/** Of patterns that are held against all of them. */
const SMALL_BYTES = 2048;

const sparsePatterns: FuzzedParser = {
  name: 'sparse-patterns',
  corpus: ['/*\n!/*/\n/src/\n', '*.c\n!a.c\n# x\n', '**/a/**\n[a-z]?\\*\n', '[[:alpha:]]\n'].map(
    encodeLatin1,
  ),
  generate: bytes(
    some(
      sequence(
        oneOf('', '!', '/', '#', '\\#'),
        some(oneOf('a', 'src', '*', '**', '/', '?', '[', ']', '[!a-c]', '[[:digit:]]', '\\', ' ', '\xff'), 8),
        oneOf('\n', '\r\n', ' \n', '/\n'),
      ),
      8,
    ),
  ),
  words: ['**', '/**/', '*', '[^', '[[:', ':]]', '!', '\\', '\n', '?'],
  read(input) {
    const patterns = new SparsePatterns(input);
    // Two, chosen by the input, where all of them would take too long.
    const first = (input[input.length >> 1] ?? 0) % PATHS.length;
    const chosen = [PATHS[first] as string, PATHS[(first + 3) % PATHS.length] as string];
    return (input.length <= SMALL_BYTES ? PATHS : chosen).map((path) => [
      patterns.selects(path, true),
      patterns.selects(path, false),
    ]);
  },
};

const UPLOAD_CONVERSATION = sequence(
  UPLOAD_REQUEST,
  some(packet(sequence(oneOf(sequence('have ', ID), 'done', 'x'), LINE_END)), 6),
  oneOf('0000', '0009done\n', ''),
);
const V2_COMMAND = sequence(
  oneOf(
    packet(sequence('command=', oneOf('ls-refs', 'fetch', 'object-info', 'bundle-uri', 'x', ''), LINE_END)),
    packet('command=fetch'),
  ),
  some(packet(oneOf('agent=x', 'object-format=sha1', 'server-option=a', 'session-id=x', CAPABILITY)), 3),
  oneOf('0001', '0001', '0000'),
  some(packet(sequence(oneOf(V2_FETCH_LINE, LS_REFS_LINE, 'size', sequence('oid ', ID)), LINE_END)), 8),
  oneOf('0000', '0000', '0001', ''),
);

/** The whole service over one request, at a repository of some objects. */
function service(
  name: string,
  repository: Repository,
  protocolVersion: ProtocolVersion,
  corpus: readonly Uint8Array[],
  rule: Rule,
): FuzzedParser {
  return {
    name,
    corpus,
    generate: bytes(rule),
    words: COMMON_WORDS,
    async read(input) {
      const failures: Error[] = [];
      const answer = uploadPack(repository, chunked(input), {
        mode: 'stateless',
        protocolVersion,
        limits: LIMITS,
        wantPolicy: 'any',
        onFailure(error) {
          failures.push(error instanceof Error ? error : new Error(String(error)));
        },
      });
      for await (const _ of answer);
      if (failures[0] !== undefined) throw failures[0];
    },
  };
}

interface LineParser {
  read(line: string): unknown;
  finish(): unknown;
}

/** A parser of the lines of one request, given in packets. */
function inLines(
  name: string,
  rule: Rule,
  corpus: readonly Uint8Array[],
  create: () => LineParser,
): FuzzedParser {
  return {
    name,
    corpus,
    generate: bytes(rule),
    words: COMMON_WORDS,
    read(input) {
      const parser = create();
      for (let at = 0; at < input.length; ) {
        const step = decodePacket(input, at);
        if (step === undefined) break;
        if (step.packet.kind === 'data') parser.read(payloadText(step.packet.payload));
        at = step.end;
      }
      return parser.finish();
    },
  };
}

function requestsOfV0({ commits, tag, stray }: MemoryHistory): Uint8Array[] {
  const capabilities = 'multi_ack_detailed no-done side-band-64k thin-pack ofs-delta include-tag';
  const tip = commits.at(-1) as string;
  return [
    lines(`want ${tip} ${capabilities}`, '0000', 'done'),
    lines(
      `want ${tip} ${capabilities}`,
      `want ${tag}`,
      '0000',
      `have ${commits[1]}`,
      `have ${stray}`,
      'done',
    ),
    lines(`want ${tip} ${capabilities}`, 'deepen 2', '0000', 'done'),
    lines(
      `want ${tip} ${capabilities}`,
      `shallow ${commits[2]}`,
      'deepen 3',
      '0000',
      `have ${commits[2]}`,
      'done',
    ),
    lines(`want ${tip} ${capabilities} filter`, 'filter blob:none', '0000', 'done'),
    lines(
      `want ${tip} ${capabilities}`,
      'deepen-since 1700000002',
      'deepen-not refs/tags/v1',
      '0000',
      'done',
    ),
  ];
}

function requestsOfV2({ commits, blobs, tag }: MemoryHistory): Uint8Array[] {
  const tip = commits.at(-1) as string;
  const fetch = (...args: readonly string[]): Uint8Array =>
    lines('command=fetch', 'agent=x', 'object-format=sha1', '0001', ...args, '0000');
  return [
    lines('command=ls-refs', '0001', 'peel', 'symrefs', 'unborn', 'ref-prefix refs/heads/', '0000'),
    lines('command=object-info', '0001', 'size', `oid ${tip}`, `oid ${blobs[0]}`, '0000'),
    lines('command=bundle-uri', '0000'),
    fetch(`want ${tip}`, 'done'),
    fetch('want-ref refs/heads/main', `have ${commits[1]}`, 'thin-pack', 'ofs-delta'),
    fetch(`want ${tip}`, `want ${tag}`, `have ${commits[2]}`, 'wait-for-done', 'include-tag', 'no-progress'),
    fetch(`want ${tip}`, 'deepen 2', `shallow ${commits[3]}`, 'deepen-relative', 'done'),
    fetch(`want ${tip}`, 'filter combine:blob:none+tree:1', 'sideband-all', 'done'),
    fetch(`want ${tip}`, 'deepen-since 1700000002', 'deepen-not refs/tags/v1', 'done'),
  ];
}

function lines(...texts: readonly string[]): Uint8Array {
  return encodeLatin1(
    texts
      .map((text) =>
        /^000[01]$/.test(text) ? text : `${(text.length + 5).toString(16).padStart(4, '0')}${text}\n`,
      )
      .join(''),
  );
}
