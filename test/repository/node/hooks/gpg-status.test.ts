import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readGpgStatus, readSshStatus } from '../../../../src/repository/node/hooks/gpg-status.ts';

const GOOD = '[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 13B6F51ECDDE430D C O Mitter <c@example.com>\n';

for (const [title, status, expected] of [
  [
    'a good signature',
    `${GOOD}[GNUPG:] VALIDSIG ABCD 2027-01-15 0 0\n[GNUPG:] TRUST_ULTIMATE 0 pgp\n`,
    {
      status: 'G',
      key: '13B6F51ECDDE430D',
      signer: 'C O Mitter <c@example.com>',
      fingerprint: 'ABCD',
      trust: 'ultimate',
    },
  ],
  ['a bad one', '[GNUPG:] BADSIG 1 x y\n', { status: 'B', key: '1', signer: 'x y', trust: 'undefined' }],
  ['an unknown key', '[GNUPG:] ERRSIG 1 22 8 00 0 9\n', { status: 'E', key: '1', trust: 'undefined' }],
  ['an expired key', '[GNUPG:] EXPKEYSIG 1 x\n', { status: 'Y', key: '1', signer: 'x', trust: 'undefined' }],
  ['two signatures', GOOD + GOOD, { status: 'E' }],
  ['a trust of the future', `${GOOD}[GNUPG:] TRUST_WHOLLY\n`, { status: 'E' }],
  ['nothing', '', { status: 'N' }],
  ['words that gpg did not say as status', 'GOODSIG 1 x\n', { status: 'N' }],
] as const) {
  test(`readGpgStatus() reads ${title} as ${expected.status}`, () => {
    assert.deepEqual(readGpgStatus(status), expected);
  });
}

const KEY = 'SHA256:abc';

for (const [title, output, expected] of [
  [
    'a known signer',
    `Good "git" signature for a with b with ED25519 key ${KEY}\n`,
    { status: 'G', trust: 'fully', signer: 'a with b', key: KEY, fingerprint: KEY },
  ],
  [
    'an unknown signer',
    `Good "git" signature with ED25519 key ${KEY}\n`,
    { status: 'G', trust: 'undefined', key: KEY, fingerprint: KEY },
  ],
  ['a bad signature', 'Could not verify signature.\n', { status: 'B', trust: 'never' }],
  [
    'another namespace',
    `Good "file" signature for a with ED25519 key ${KEY}\n`,
    { status: 'B', trust: 'never' },
  ],
] as const) {
  test(`readSshStatus() reads ${title} as ${expected.status}`, () => {
    assert.deepEqual(readSshStatus(output), expected);
  });
}
