import assert from 'node:assert/strict';
import test from 'node:test';
import { nearestName } from '../../../src/server/config/nearest-name.ts';

const KNOWN = ['readOnly', 'root', 'listen', 'limits', 'repositories', 'expiresAt', 'scope'];

for (const [name, meant] of [
  ['read_only', 'readOnly'],
  ['readonly', 'readOnly'],
  ['READ-ONLY', 'readOnly'],
  ['lisetn', 'listen'],
  ['limit', 'limits'],
  ['roots', 'root'],
  ['scpoe', 'scope'],
  ['repos', 'repositories'],
  ['exp', 'expiresAt'],
  ['anything', undefined],
  ['', undefined],
] as const) {
  test(`${JSON.stringify(name)} is most likely ${meant ?? 'none of them'}`, () => {
    assert.equal(nearestName(name, KNOWN), meant);
  });
}
