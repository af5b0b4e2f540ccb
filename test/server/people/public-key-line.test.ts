import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { isGitError } from '../../../src/core/errors.ts';
import { parsePublicKeyLine } from '../../../src/server/people/public-key-line.ts';
import { scratchDirectory } from '../../support/git.ts';
import { KEY_TYPES, newSshKey, OPENSSH_MISSING, sshKeygen } from '../../support/openssh.ts';

test('what ssh-keygen writes is read, with the fingerprint that it shows', {
  skip: OPENSSH_MISSING,
}, async (t) => {
  const directory = await scratchDirectory(t);
  for (const [type, bits] of KEY_TYPES) {
    const { path } = newSshKey(directory, `${type}${bits}`, type, bits);
    const line = readFileSync(`${path}.pub`, 'utf8');
    const shown = sshKeygen(directory, '-l', '-f', `${path}.pub`).split(' ')[1];
    const { fingerprint, key } = parsePublicKeyLine(line);
    assert.equal(fingerprint, shown);
    assert.equal(key, line.trim());
    assert.equal(parsePublicKeyLine(`${key} alice@laptop  of alice \r\n`).comment, 'alice@laptop  of alice');
    assert.throws(() => parsePublicKeyLine(readFileSync(path, 'utf8')), { message: /this is a private key/ });
    assert.throws(() => parsePublicKeyLine(line.replace(' ', ' AAAA')), { message: /does not hold/ });
    assert.throws(() => parsePublicKeyLine(`no-pty ${line}`), { message: /it is one line/ });
    assert.throws(() => parsePublicKeyLine(`${key}\n${key}`), { message: /it is one line/ });
  }
});

test('other text is refused with a GitError', () => {
  const base64 = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64'));
  const anyLine = fc.oneof(
    fc.string(),
    fc.tuple(fc.constantFrom('ssh-ed25519', 'ssh-rsa', 'ssh-dss'), base64).map((parts) => parts.join(' ')),
  );
  fc.assert(
    fc.property(anyLine, (line) => {
      assert.throws(
        () => parsePublicKeyLine(line),
        (error) => isGitError(error),
      );
    }),
  );
});
