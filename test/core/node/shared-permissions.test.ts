import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  makeSharedDirectories,
  type SharedPermissions,
  shareDirectory,
  sharedDirectoryMode,
  sharedFileMode,
  shareFile,
} from '../../../src/core/node/shared-permissions.ts';
import { scratchDirectory } from '../../support/git.ts';

const GROUP: SharedPermissions = { bits: 0o660, isExact: false };
const ALL: SharedPermissions = { bits: 0o664, isExact: false };
const only = (bits: number): SharedPermissions => ({ bits, isExact: true });

const octal = (mode: number): string => mode.toString(8);
const permissionsOf = (path: string): string => octal(statSync(path).mode & 0o7777);

describe('sharedFileMode()', () => {
  for (const [mode, shared, expected] of [
    [0o600, GROUP, 0o660],
    [0o644, GROUP, 0o664],
    [0o600, ALL, 0o664],
    [0o666, ALL, 0o666], // what the umask leaves stays
    [0o444, GROUP, 0o444], // what its owner may not write, nobody may
    [0o400, ALL, 0o444],
    [0o700, GROUP, 0o770],
    [0o644, only(0o640), 0o640],
    [0o666, only(0o600), 0o600],
    [0o444, only(0o660), 0o440],
    [0o755, only(0o640), 0o750],
  ] as const) {
    test(`makes ${octal(mode)} ${octal(expected)} for ${shared.isExact ? 'exactly ' : ''}${octal(shared.bits)}`, () => {
      assert.equal(octal(sharedFileMode(mode, shared)), octal(expected));
    });
  }
});

describe('sharedDirectoryMode()', {
  skip: process.platform !== 'linux' && 'elsewhere groups are inherited',
}, () => {
  for (const [mode, shared, expected] of [
    [0o700, GROUP, 0o2770],
    [0o755, GROUP, 0o2775],
    [0o700, ALL, 0o2775],
    [0o755, only(0o640), 0o2750],
    [0o755, only(0o600), 0o700], // no group has a part in it
    [0o2755, only(0o600), 0o2700],
  ] as const) {
    test(`makes ${octal(mode)} ${octal(expected)} for ${shared.isExact ? 'exactly ' : ''}${octal(shared.bits)}`, () => {
      assert.equal(octal(sharedDirectoryMode(mode, shared)), octal(expected));
    });
  }
});

test('makeSharedDirectories() shares what it makes, and nothing that was there', async (t) => {
  const root = await scratchDirectory(t);
  mkdirSync(join(root, 'a'), { mode: 0o700 });
  makeSharedDirectories(join(root, 'a/b/c'), only(0o640));
  assert.deepEqual(
    ['a', 'a/b', 'a/b/c'].map((path) => permissionsOf(join(root, path)).slice(-3)),
    ['700', '750', '750'],
  );
  makeSharedDirectories(join(root, 'a'), only(0o640));
  assert.equal(permissionsOf(join(root, 'a')), '700');
});

test('without permissions to give nothing is changed', async (t) => {
  const root = await scratchDirectory(t);
  const path = join(root, 'file');
  const file = openSync(path, 'wx', 0o600);
  shareFile(file, undefined);
  closeSync(file);
  assert.equal(permissionsOf(path), '600');
  const before = permissionsOf(root);
  shareDirectory(root, undefined);
  makeSharedDirectories(join(root, 'a'), undefined);
  assert.equal(permissionsOf(root), before);
});
