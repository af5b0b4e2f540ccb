import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { KNOWN_SETTINGS } from '../../../src/server/config/known-settings.ts';
import { readSettings } from '../../../src/server/config/load-config.ts';
import { showConfig } from '../../../src/server/config/show-config.ts';
import { scratchDirectory } from '../../support/git.ts';

test('what is shown has the origin of each value, and is the same configuration when it is read again', async (t) => {
  const directory = await scratchDirectory(t);
  const file = join(directory, 'packwire.json');
  writeFileSync(
    file,
    `{ "root": "git",
  "listen": { "http": ["8080", "[::1]:9"], "https": ["0.0.0.0:8443"] },
  "tls": { "certificate": "c", "key": "k" },
  "access": { "file": "a", "rules": [{ "repositories": ["**"], "subjects": ["@users"], "deny": ["force"] }] },
  "keepOpenMs": "5m" }`,
  );
  const environment = { PACKWIRE_CACHE_BYTES: '1g' };
  const flags = [{ setting: 'create', flag: '--create', value: true }];
  const first = await readSettings({ file, environment, flags, directory });
  assert.ok(first.config);
  const shown = showConfig(first.config, first.layers.originOf);
  for (const line of [
    `  "root": ${JSON.stringify(join(directory, 'git'))}, // ${file}:1:11`,
    '  "create": true, // --create',
    '  "cacheBytes": 1073741824, // $PACKWIRE_CACHE_BYTES',
    '  "readOnly": false, // default',
    `    "http": ["127.0.0.1:8080", "[::1]:9"], // ${file}:2:23`,
    '      {"repositories":["**"],"subjects":["@users"],"deny":["force"]}',
    `  "keepOpenMs": 300000, // ${file}:5:17`,
  ]) {
    assert.ok(shown.split('\n').includes(line), `${line}\n${shown}`);
  }
  writeFileSync(file, shown);
  const again = await readSettings({ file, environment: {}, directory: '/' });
  assert.deepEqual(again.problems, []);
  assert.deepEqual(again.config, first.config);
});

test('every setting has a description, and a variable of its own', () => {
  const variables = KNOWN_SETTINGS.map(({ variable }) => variable);
  assert.equal(new Set(variables).size, variables.length);
  assert.ok(variables.includes('PACKWIRE_ADMISSION_CLONE_RUNNING_PER_REPOSITORY'));
  for (const { name, description } of KNOWN_SETTINGS) assert.match(description, /^[A-Z`/].*\.$/, name);
});
