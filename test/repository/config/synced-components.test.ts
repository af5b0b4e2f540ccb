import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGitConfig } from '../../../src/repository/git-config.ts';
import { syncedComponents } from '../../../src/repository/node/config/synced-components.ts';

const EVERYTHING = 'looseObjects packs packIndexes references';

for (const [core, expected] of [
  ['', EVERYTHING],
  ['fsync =', EVERYTHING],
  ['fsync = all', EVERYTHING],
  ['fsync = none', ''],
  ['fsync = -loose-object', 'packs packIndexes references'],
  ['fsync = committed,-loose-object', EVERYTHING], // what is added wins over what is taken out, as in git
  ['fsync = -objects', 'packIndexes references'],
  ['fsync = -reference, -derived-metadata', 'looseObjects packs'],
  ['fsync = none,reference', 'references'],
  ['fsync = none, pack ,pack-metadata', 'packs packIndexes'],
  ['fsync = none,added', 'looseObjects packs references'],
  ['fsync = -all,reference', 'references'],
  ['fsync = index,commit-graph,what', EVERYTHING],
  ['fsync = none\n\tfsyncObjectFiles', 'looseObjects'],
  ['fsyncObjectFiles = false', EVERYTHING], // it only ever added to what is synced
  ['fsync = none\n\tfsync = pack', EVERYTHING],
] as const) {
  test(`core.${core.replace('\n\t', ', core.')}`, () => {
    const synced = syncedComponents(parseGitConfig(`[core]\n\t${core}\n`));
    const names = Object.entries(synced).flatMap(([name, isSynced]) => (isSynced ? [name] : []));
    assert.equal(names.join(' '), expected);
  });
}
