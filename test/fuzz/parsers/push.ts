/**
 * Parsers of what a push sends, and of what a proc-receive hook answers.
 *
 * @module
 */
import { decodeLatin1, encodeLatin1 } from '../../../src/core/bytes.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { bytesToHex, SHA1 } from '../../../src/core/object-id.ts';
import { PacketReader } from '../../../src/protocol/packet-reader.ts';
import { CommandParser, readCommands } from '../../../src/protocol/receive-pack/parse-commands.ts';
import { talkToProcReceive } from '../../../src/protocol/receive-pack/proc-receive.ts';
import { receivePack } from '../../../src/protocol/receive-pack.ts';
import { parsePushCertificate, signatureFormatOf } from '../../../src/repository/push/push-certificate.ts';
import { refCommand } from '../../../src/repository/push/ref-command.ts';
import { memoryRepository } from '../../support/memory-repository.ts';
import { blobEntry, blobId, packOf } from '../../support/pack-builder.ts';
import { pushRequest } from '../../support/push-client.ts';
import { chunked } from '../../support/streams.ts';
import type { FuzzedParser } from '../fuzzed-parser.ts';
import { bytes, ID, NUMBER, oneOf, packet, REF_NAME, sequence, some } from '../grammar.ts';
import { realFiles } from '../real-files.ts';

const LIMITS = { ...DEFAULT_LIMITS, maxRefUpdates: 200, maxPushOptions: 50, maxShallowLines: 200 };
const ZERO = '0'.repeat(40);

const CAPABILITY = oneOf(
  'report-status',
  'report-status-v2',
  'side-band-64k',
  'push-options',
  'atomic',
  'quiet',
  'delete-refs',
  'ofs-delta',
  'object-format=sha1',
  'object-format=sha256',
  'agent=x',
  'push-cert=',
  '__proto__',
);
const COMMAND = sequence(ID, oneOf(' ', ' ', ' ', '\t', ''), ID, ' ', REF_NAME);
const LINE_END = oneOf('\n', '\n', '', '\0');
const CERTIFICATE = sequence(
  packet(sequence('push-cert\0', some(CAPABILITY, 4, ' '), '\n')),
  packet('certificate version 0.1\n'),
  packet('pusher A <a@example.com> 1700000000 +0000\n'),
  packet(sequence('pushee ', REF_NAME, '\n')),
  packet(sequence('nonce ', oneOf('1700000000-abc', '-', NUMBER), '\n')),
  some(packet(sequence('push-option ', NUMBER, '\n')), 2),
  packet('\n'),
  some(packet(sequence(COMMAND, '\n')), 3),
  some(packet(oneOf('-----BEGIN PGP SIGNATURE-----\n', 'x\n', '-----END PGP SIGNATURE-----\n')), 4),
  packet('push-cert-end\n'),
);
const COMMANDS = sequence(
  some(packet(sequence('shallow ', ID, LINE_END)), 2),
  oneOf(
    sequence(
      packet(sequence(COMMAND, '\0', oneOf(' ', ''), some(CAPABILITY, 6, ' '), LINE_END)),
      some(packet(sequence(COMMAND, LINE_END)), 6),
    ),
    CERTIFICATE,
  ),
  oneOf('0000', '0000', '0001', ''),
  some(packet(oneOf('option', 'a=b', '\0', '\xff', '')), 3),
  '0000',
);
const WORDS = [
  'shallow ',
  'push-cert',
  '0000',
  '\0',
  '\n',
  ' ',
  ZERO,
  'refs/heads/',
  'option ',
  'ok ',
  'ng ',
];

export function pushParsers(): FuzzedParser[] {
  return [commandList, receivePackService(), pushCertificate, procReceive];
}

const HAND_MADE = [
  pushRequest({ commands: [`${ZERO} ${'a'.repeat(40)} refs/heads/main`] }),
  pushRequest({
    commands: [`${'a'.repeat(40)} ${ZERO} refs/heads/main`, `${ZERO} ${'b'.repeat(40)} refs/heads/b`],
    capabilities: 'report-status-v2 side-band-64k atomic push-options object-format=sha1 agent=x',
    pushOptions: ['a', 'b=c'],
    shallow: ['c'.repeat(40)],
  }),
];

const commandList: FuzzedParser = {
  name: 'push-commands',
  corpus: HAND_MADE,
  generate: bytes(COMMANDS),
  words: WORDS,
  async read(input) {
    const parser = new CommandParser({ format: SHA1, limits: LIMITS, allowPushOptions: true });
    const reader = new PacketReader(chunked(input, [1 + ((input[7] ?? 0) % 512)]), 48 * 1024);
    await readCommands(reader, parser);
    return [parser.commands, parser.capabilities, parser.pushOptions];
  },
};

/** The whole service, at an empty repository each time. */
function receivePackService(): FuzzedParser {
  const { thinPack, ids } = realFiles();
  const pack = packOf([blobEntry('pushed')]);
  return {
    name: 'receive-pack',
    corpus: [
      ...HAND_MADE,
      pushRequest({ commands: [`${ZERO} ${bytesToHex(blobId('pushed'))} refs/tags/blob`], pack }),
      pushRequest({ commands: [`${ZERO} ${ids[0]} refs/heads/main`], pack: thinPack }),
    ],
    generate: bytes(COMMANDS),
    words: WORDS,
    async read(input) {
      const failures: Error[] = [];
      const answer = receivePack(memoryRepository(), chunked(input), {
        mode: 'stateless',
        protocolVersion: 0,
        limits: LIMITS,
        fsckObjects: true,
        onFailure(error) {
          failures.push(error instanceof Error ? error : new Error(String(error)));
        },
      });
      for await (const _ of answer);
      if (failures[0] !== undefined) throw failures[0];
    },
  };
}

const SIGNATURE = [
  '-----BEGIN PGP SIGNATURE-----\n',
  '-----BEGIN PGP MESSAGE-----\n',
  '-----BEGIN SIGNED MESSAGE-----\n',
  '-----BEGIN SSH SIGNATURE-----\n',
];

/** The text of a certificate, its packets put together. */
const pushCertificate: FuzzedParser = {
  name: 'push-certificate',
  corpus: [
    `certificate version 0.1\npusher A <a@example.com> 1700000000 +0000\nnonce 1-a\n\n${ZERO} ${'a'.repeat(40)} refs/heads/a\n${SIGNATURE[3]}AAAA\n`,
  ].map(encodeLatin1),
  generate: bytes(
    sequence(
      'certificate version 0.1\n',
      some(
        sequence(
          oneOf('pusher ', 'pushee ', 'nonce ', 'push-option ', 'nonce'),
          oneOf(NUMBER, REF_NAME),
          '\n',
        ),
        5,
      ),
      oneOf('\n', '\n', ''),
      some(sequence(COMMAND, '\n'), 4),
      some(oneOf(...SIGNATURE, '-----END SSH SIGNATURE-----\n', 'x\n', '\n', '-'), 4),
    ),
  ),
  words: [...SIGNATURE, '\n', '\n\n', '-----', 'nonce ', 'push-option ', 'pusher '],
  read(input) {
    let bodyBytes = 0;
    const certificate = parsePushCertificate(input, ({ length }) => {
      bodyBytes += length;
    });
    const { signedBytes } = certificate;
    if (bodyBytes > signedBytes || signedBytes > input.length) throw new Error('commands are not signed');
    const signature = decodeLatin1(input, signedBytes, Math.min(input.length, signedBytes + 40));
    if (signature !== '' && signatureFormatOf(signature) === undefined)
      throw new Error('it has no signature');
  },
};

const HOOK_COMMANDS = [
  refCommand('refs/for/main/topic', ZERO, 'a'.repeat(40)),
  refCommand('refs/for/main/second', ZERO, 'b'.repeat(40)),
];

const procReceive: FuzzedParser = {
  name: 'proc-receive',
  corpus: [
    '000eversion=1\n0000001eok refs/for/main/topic\n0000',
    '000dversion=10000001cng refs/for/main/topic x0000',
  ].map(encodeLatin1),
  generate: bytes(
    sequence(
      packet(sequence('version=', NUMBER, oneOf('', '\0push-options', '\0 atomic push-options'))),
      '0000',
      some(
        packet(
          oneOf(
            sequence(oneOf('ok ', 'ng '), oneOf('refs/for/main/topic', 'refs/for/main/second', REF_NAME)),
            sequence(
              'option ',
              oneOf('refname ', 'old-oid ', 'new-oid ', 'forced-update', 'fall-through'),
              ID,
            ),
            sequence('ng ', REF_NAME, ' reason'),
            '',
          ),
        ),
        8,
      ),
      oneOf('0000', ''),
    ),
  ),
  words: WORDS,
  async read(input) {
    const request = {
      commands: HOOK_COMMANDS,
      pushOptions: ['a'],
      atomic: true,
      isKnown: () => false,
      sayError: () => undefined,
    };
    return talkToProcReceive(request, { output: chunked(input), write: async () => true });
  },
};
