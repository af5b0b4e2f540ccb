import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { loadServerConfig } from '../../src/server/config/load-config.ts';
import { Gatekeeper } from '../../src/server/gatekeeper.ts';
import { scratchDirectory } from '../support/git.ts';

const fingerprint = (letter: string): string => `SHA256:${letter.repeat(43)}`;

test('a key that the access file has revoked is nobody’s, though the application knows it', async (t) => {
  const application = createServer((_request, response) => response.end('{"name":"alice"}'));
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  t.after(() => application.close().closeAllConnections());
  const directory = await scratchDirectory(t);
  const write = (name: string, value: unknown): void =>
    writeFileSync(join(directory, name), typeof value === 'string' ? value : JSON.stringify(value), {
      mode: 0o600,
    });
  write('secret', 'between us');
  write('access.json', { revokedKeys: [fingerprint('a')] });
  const url = `http://127.0.0.1:${(application.address() as AddressInfo).port}`;
  write('packwire.json', { access: { file: 'access.json', application: { url, secretFile: 'secret' } } });
  const { access } = await loadServerConfig({ file: 'packwire.json', directory, environment: {} });
  const gatekeeper = await Gatekeeper.open(access, { guard: (_attempt, verify) => verify() });
  const nameOf = async (key: string): Promise<string | undefined> => {
    const shown = { kind: 'ssh-key', user: 'git', fingerprint: key } as const;
    return (await gatekeeper.identities.identify(shown, { address: undefined }))?.name;
  };
  assert.equal(await nameOf(fingerprint('a')), undefined);
  assert.equal(await nameOf(fingerprint('b')), 'alice');
  await gatekeeper.close(0);
});
