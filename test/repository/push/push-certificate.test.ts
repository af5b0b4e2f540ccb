import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeText, encodeText } from '../../../src/core/bytes.ts';
import { isGitError } from '../../../src/core/errors.ts';
import { parsePushCertificate } from '../../../src/repository/push/push-certificate.ts';

const HEADER = [
  'certificate version 0.1',
  'pusher A U Thor <author@example.com> 1800000000 +0100',
  'pushee https://example.com/x.git',
  'nonce 1800000000-0123',
  'push-option ci.skip',
  'push-option topic=a b',
  '',
];
const COMMANDS = ['old new refs/heads/main', 'old new refs/heads/nonce x'];
const SIGNATURE = ['-----BEGIN SSH SIGNATURE-----', 'AAAA', '-----END SSH SIGNATURE-----', ''];

function parse(...lines: readonly string[]) {
  const commands: string[] = [];
  const certificate = parsePushCertificate(encodeText(lines.join('\n')), (line) =>
    commands.push(decodeText(line)),
  );
  return { certificate, commands };
}

describe('parsePushCertificate()', () => {
  test('reads header, commands and signature', () => {
    const { certificate, commands } = parse(...HEADER, ...COMMANDS, ...SIGNATURE);
    assert.equal(certificate.pusher, 'A U Thor <author@example.com> 1800000000 +0100');
    assert.equal(certificate.pushee, 'https://example.com/x.git');
    assert.equal(certificate.nonce, '1800000000-0123');
    assert.deepEqual(certificate.pushOptions, ['ci.skip', 'topic=a b']);
    assert.deepEqual(commands, COMMANDS);
    const signature = decodeText(certificate.bytes.subarray(certificate.signedBytes));
    assert.equal(signature, SIGNATURE.join('\n'));
  });

  test('reads a certificate without nonce, pushee or signature', () => {
    const { certificate, commands } = parse('certificate version 0.1', 'pusher x', '', ...COMMANDS);
    assert.deepEqual(
      [certificate.nonce, certificate.pushee, certificate.pushOptions],
      [undefined, undefined, []],
    );
    assert.equal(certificate.signedBytes, certificate.bytes.length);
    assert.deepEqual(commands, COMMANDS);
  });

  test('takes the last of several signatures for the signature', () => {
    const { commands } = parse(...HEADER, ...COMMANDS, ...SIGNATURE.slice(0, 3), ...SIGNATURE);
    assert.deepEqual(commands, [...COMMANDS, ...SIGNATURE.slice(0, 3)]);
  });

  test('reads nothing from the body that belongs into the header', () => {
    const { certificate } = parse('pusher x', '', 'nonce 1-2', 'push-option x');
    assert.deepEqual([certificate.nonce, certificate.pushOptions], [undefined, []]);
  });

  test('refuses one whose header has no end', () => {
    assert.throws(() => parse('certificate version 0.1', 'pusher x'), { code: 'PROTOCOL_VIOLATION' });
  });

  test('keeps every byte, or refuses, whatever it is given', () => {
    const word = fc.constantFrom(
      '\n',
      '\n\n',
      'nonce ',
      'a',
      '-----BEGIN PGP SIGNATURE-----',
      '-',
      'push-option ',
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const bytes = encodeText(words.join(''));
        try {
          const lines: Uint8Array[] = [];
          const { signedBytes } = parsePushCertificate(bytes, (line) => lines.push(line));
          assert.ok(signedBytes <= bytes.length);
          assert.ok(lines.every((line) => !line.includes(10)));
        } catch (error) {
          assert.ok(isGitError(error, 'PROTOCOL_VIOLATION'));
        }
      }),
    );
  });
});
