import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, encodeLatin1, encodeText } from '../../../src/core/bytes.ts';
import { isGitError } from '../../../src/core/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { SHA1, SHA256 } from '../../../src/core/object-id.ts';
import { PacketReader } from '../../../src/protocol/packet-reader.ts';
import { encodePacket, FLUSH_PACKET } from '../../../src/protocol/pkt-line.ts';
import { CommandParser, readCommands } from '../../../src/protocol/receive-pack/parse-commands.ts';
import { chunked } from '../../support/streams.ts';

const ZERO = SHA1.zeroId;
const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const SIGNED = [
  'push-cert\0 report-status atomic',
  'certificate version 0.1\n',
  'nonce 1-2\n',
  '\n',
  `${ZERO} ${A} refs/heads/a\n`,
  `${A} ${B} refs/heads/b\n`,
  '-----BEGIN PGP SIGNATURE-----\n',
  'push-cert-end\n',
];
const OPTIONS = { format: SHA1, limits: DEFAULT_LIMITS, allowPushOptions: true };

async function parse(wire: Uint8Array, sizes: readonly number[] = [], options = OPTIONS) {
  const parser = new CommandParser(options);
  const reader = new PacketReader(chunked(wire, sizes), DEFAULT_LIMITS.maxCommandBytes);
  const asks = await readCommands(reader, parser);
  return { parser, asks, reader };
}

function request(...lines: readonly string[]): Uint8Array {
  return concatBytes(
    ...lines.map((line) => (line === '0000' ? FLUSH_PACKET : encodePacket(encodeLatin1(line)))),
  );
}

describe('readCommands()', () => {
  for (const [title, line, expected] of [
    ['a new branch', `${ZERO} ${A} refs/heads/new`, { kind: 'create', name: 'refs/heads/new' }],
    ['an update', `${A} ${B} refs/heads/main`, { kind: 'update', oldId: A, newId: B }],
    ['a deletion', `${A} ${ZERO} refs/tags/v1`, { kind: 'delete', newId: ZERO }],
    ['both ids zero', `${ZERO} ${ZERO} refs/heads/none`, { kind: 'delete' }],
    ['ids in capitals', `${A.toUpperCase()} ${B} refs/heads/x`, { kind: 'update', oldId: A }],
    ['a name that is no ref name', `${A} ${B} refs/heads/../../config`, { name: 'refs/heads/../../config' }],
    ['a name with spaces', `${A} ${B} a b c`, { name: 'a b c' }],
    ['no name', `${A} ${B} `, { name: '' }],
  ] as const) {
    test(`takes ${title}`, async () => {
      const { parser, asks } = await parse(request(`${line}\0 report-status`, '0000'));
      assert.equal(asks, true);
      for (const [key, value] of Object.entries(expected)) {
        assert.equal(parser.commands[0]?.[key as 'name'], value);
      }
    });
  }

  test('reads the commands of a certificate', async () => {
    const { parser, asks } = await parse(request(`shallow ${B}`, ...SIGNED, '0000'));
    assert.equal(asks, true);
    assert.deepEqual(parser.shallow, [B]);
    assert.ok(parser.capabilities.has('atomic'));
    assert.deepEqual(
      parser.commands.map(({ kind, name }) => `${kind} ${name}`),
      ['create refs/heads/a', 'update refs/heads/b'],
    );
    assert.equal(parser.certificate?.nonce, '1-2');
  });

  test('reads capabilities, shallow lines and push options, and leaves the pack', async () => {
    const { parser, reader } = await parse(
      concatBytes(
        request(
          `shallow ${B}\n`,
          `${ZERO} ${A} refs/heads/a\0 report-status side-band-64k push-options agent=git/2.39`,
          `${ZERO} ${B} refs/heads/b\n`,
          '0000',
          'ci.skip',
          'topic=a b\n',
          '0000',
        ),
        encodeText('PACK'),
      ),
    );
    assert.deepEqual(parser.shallow, [B]);
    assert.deepEqual(
      parser.commands.map((command) => command.name),
      ['refs/heads/a', 'refs/heads/b'],
    );
    assert.equal(parser.capabilities.get('agent'), 'git/2.39');
    assert.deepEqual(parser.pushOptions, ['ci.skip', 'topic=a b']);
    const rest = [];
    for await (const chunk of reader.rest()) rest.push(...chunk);
    assert.deepEqual(Uint8Array.from(rest), encodeText('PACK'));
  });

  for (const [title, wire] of [
    ['only a flush', request('0000')],
    ['nothing at all', new Uint8Array(0)],
    ['only shallow lines', request(`shallow ${A}`, '0000')],
  ] as const) {
    test(`asks for nothing: ${title}`, async () => {
      assert.equal((await parse(wire)).asks, false);
    });
  }

  for (const [title, code, ...lines] of [
    ['a short id', 'PROTOCOL_VIOLATION', `${A.slice(1)} ${B} refs/heads/x\0`, '0000'],
    ['an id of another format', 'PROTOCOL_VIOLATION', `${'a'.repeat(64)} ${'b'.repeat(64)} refs/x\0`, '0000'],
    ['tabs for spaces', 'PROTOCOL_VIOLATION', `${A}\t${B}\trefs/heads/x\0`, '0000'],
    ['no ref at all', 'PROTOCOL_VIOLATION', `${A} ${B}\0`, '0000'],
    ['capabilities twice', 'PROTOCOL_VIOLATION', `${A} ${B} r\0 quiet`, `${A} ${B} s\0 quiet`, '0000'],
    ['a name that is no UTF-8', 'PROTOCOL_VIOLATION', `${A} ${B} refs/heads/\xff\0`, '0000'],
    ['a malformed shallow line', 'PROTOCOL_VIOLATION', 'shallow 1234', '0000'],
    ['no flush', 'PROTOCOL_VIOLATION', `${A} ${B} refs/heads/x\0`],
    ['a NUL in a push option', 'PROTOCOL_VIOLATION', `${A} ${B} r\0 push-options`, '0000', 'a\0b', '0000'],
    ['a certificate without end', 'PROTOCOL_VIOLATION', 'push-cert\0', 'pusher x\n', '0000'],
    ['a NUL in a certificate', 'PROTOCOL_VIOLATION', 'push-cert\0', 'x\0\n', '\n', 'push-cert-end\n', '0000'],
    [
      'a bad command in it',
      'PROTOCOL_VIOLATION',
      'push-cert\0',
      'x\n',
      '\n',
      'a b c\n',
      'push-cert-end\n',
      '0000',
    ],
    ['an unsigned command beside it', 'PROTOCOL_VIOLATION', ...SIGNED, `${A} ${B} refs/heads/x`, '0000'],
    ['two certificates', 'PROTOCOL_VIOLATION', ...SIGNED, ...SIGNED, '0000'],
    ['another object format', 'UNSUPPORTED', `${A} ${B} r\0 object-format=sha256`, '0000'],
  ] as const) {
    test(`refuses ${title} with ${code}`, async () => {
      await assert.rejects(parse(request(...lines)), { name: 'GitError', code });
    });
  }

  test('a delimiter has no place among commands', async () => {
    await assert.rejects(parse(encodeText('0001')), { code: 'PROTOCOL_VIOLATION' });
  });

  test('a client that names no object format means sha1', async () => {
    const wire = request(`${'0'.repeat(64)} ${'a'.repeat(64)} refs/heads/x\0 report-status`, '0000');
    await assert.rejects(parse(wire, [], { ...OPTIONS, format: SHA256 }), { code: 'UNSUPPORTED' });
    await assert.rejects(
      parse(request(`${'0'.repeat(64)} ${'a'.repeat(64)} refs/x`, '0000'), [], {
        ...OPTIONS,
        format: SHA256,
      }),
      { code: 'UNSUPPORTED' },
    );
  });

  test('push options that were not advertised are refused', async () => {
    const wire = request(`${ZERO} ${A} refs/heads/x\0 push-options`, '0000', 'o', '0000');
    await assert.rejects(parse(wire, [], { ...OPTIONS, allowPushOptions: false }), { code: 'UNSUPPORTED' });
  });

  test('counts commands, push options and shallow lines', async () => {
    const limits = { ...DEFAULT_LIMITS, maxRefUpdates: 2, maxPushOptions: 1, maxShallowLines: 1 };
    const command = `${ZERO} ${A} refs/heads/x`;
    for (const lines of [
      [command, command, command],
      [`${command}\0push-options`, '0000', 'one', 'two'],
      [`shallow ${A}`, `shallow ${B}`],
    ]) {
      await assert.rejects(parse(request(...lines), [], { ...OPTIONS, limits }), { code: 'LIMIT_EXCEEDED' });
    }
  });

  test('gives the same however the bytes are chunked', async () => {
    const id = fc.constantFrom(ZERO, A, B);
    const command = fc.tuple(id, id, fc.stringMatching(/^refs\/[a-z/é]{1,30}$/));
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 90 })),
        async (commands, sizes) => {
          const lines = commands.map(
            ([oldId, newId, name], i) => `${oldId} ${newId} ${name}${i === 0 ? '\0quiet' : ''}`,
          );
          const wire = concatBytes(...lines.map((line) => encodePacket(line)), FLUSH_PACKET);
          const { parser } = await parse(wire, sizes);
          assert.deepEqual(
            parser.commands.map(({ oldId, newId, name }) => [oldId, newId, name]),
            commands,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('arbitrary packets are commands or a GitError', async () => {
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc.string().map((tail) => encodeText(`${A} ${B} ${tail}`)),
      fc.string().map((tail) => encodeText(`shallow ${tail}`)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line), async (lines) => {
        try {
          await parse(concatBytes(...lines.map(encodePacket), FLUSH_PACKET));
        } catch (error) {
          assert.ok(isGitError(error, 'PROTOCOL_VIOLATION', 'UNSUPPORTED'), String(error));
        }
      }),
    );
  });

  test('of fifty thousand commands others do not notice the reading', async () => {
    const lines = Array.from({ length: 50_000 }, (_, n) => `${ZERO} ${A} refs/heads/${n}`);
    let rounds = 0;
    const counting = setInterval(() => rounds++, 0);
    const { parser } = await parse(request(...lines, '0000'));
    clearInterval(counting);
    assert.equal(parser.commands.length, lines.length);
    assert.ok(rounds >= 3, `${rounds} rounds of the event loop`);
  });
});
