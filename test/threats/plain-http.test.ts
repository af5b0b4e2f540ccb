import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readServerConfig } from '../../src/server/config/load-config.ts';
import { scratchDirectory } from '../support/git.ts';

test('tokens that would cross a network in the clear are warned of', async (t) => {
  const directory = await scratchDirectory(t);
  writeFileSync(join(directory, 'access.json'), '{}', { mode: 0o600 });
  const warnings = async (text: string): Promise<number> => {
    writeFileSync(join(directory, 'packwire.json'), text);
    const { problems } = await readServerConfig({ file: 'packwire.json', directory, environment: {} });
    assert.ok(problems.every(({ severity }) => severity === 'warning'));
    return problems.filter(({ sentence }) => /in the clear/.test(sentence)).length;
  };
  const access = '"access": { "file": "access.json" }';
  assert.equal(await warnings(`{ "listen": { "http": ["0.0.0.0:80", "127.0.0.1:81"] }, ${access} }`), 1);
  assert.equal(await warnings(`{ "listen": { "http": ["127.0.0.1:80"] }, ${access} }`), 0);
  const behind = '"proxies": { "trusted": ["10.0.0.0/8"] }';
  assert.equal(await warnings(`{ "listen": { "http": ["0.0.0.0:80"] }, ${behind}, ${access} }`), 0);
});
