import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCapabilities } from '../../src/protocol/capabilities.ts';
import { parseProtocolVersion } from '../../src/protocol/service.ts';

for (const [text, expected] of [
  ['', []],
  ['  ', []],
  ['ofs-delta', [['ofs-delta', undefined]]],
  [
    ' multi_ack  side-band-64k agent=git/2.39.5',
    [
      ['multi_ack', undefined],
      ['side-band-64k', undefined],
      ['agent', 'git/2.39.5'],
    ],
  ],
  ['symref=HEAD:refs/heads/a=b', [['symref', 'HEAD:refs/heads/a=b']]],
  ['agent=a agent=b', [['agent', 'b']]],
  ['object-format=', [['object-format', '']]],
] as const) {
  test(`parseCapabilities() reads ${JSON.stringify(text)}`, () => {
    assert.deepEqual([...parseCapabilities(text)], expected);
  });
}

for (const [parameters, version] of [
  [undefined, 0],
  [null, 0],
  ['', 0],
  ['version=1', 1],
  ['version=2', 2],
  ['version=2:version=1', 2],
  ['version=1:key:version=2', 2],
  ['version=3', 0],
  ['VERSION=2', 0],
] as const) {
  test(`parseProtocolVersion() reads ${JSON.stringify(parameters)} as ${version}`, () => {
    assert.equal(parseProtocolVersion(parameters), version);
  });
}
