import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type ObjectFormat, SHA1, SHA256 } from '../../src/core/object-id.ts';
import { inOneGo } from '../../src/core/steps.ts';
import { REF_DATABASE_CASES } from '../../src/refs/conformance.ts';
import { createMemoryRefDatabase } from '../../src/refs/memory-ref-database.ts';
import {
  type FilesRefDatabaseOptions,
  openFilesRefDatabase,
} from '../../src/refs/node/files-ref-database.ts';
import { editPackedRefs } from '../../src/refs/packed-refs-edit.ts';
import type { RefDatabase } from '../../src/refs/ref-database.ts';
import { scratchDirectory } from '../support/git.ts';

const logAllRefUpdates = 'branches';

const PACK_ALL = { packFrom: 1, peelTags: async (ids: readonly string[]) => ids.map(() => undefined) };

async function openFiles(
  context: TestContext,
  format: ObjectFormat,
  path?: string,
  options: Partial<FilesRefDatabaseOptions> = {},
): Promise<RefDatabase> {
  const directory = path ?? (await scratchDirectory(context));
  await mkdir(join(directory, 'refs/heads'), { recursive: true });
  await mkdir(join(directory, 'objects'));
  await writeFile(join(directory, 'HEAD'), 'ref: refs/heads/main\n');
  return openFilesRefDatabase(directory, { format, logAllRefUpdates, fsync: false, ...options });
}

/** Every ref is packed after every update (git itself packs none whose object is missing). */
async function openPacked(context: TestContext): Promise<RefDatabase> {
  const directory = await scratchDirectory(context);
  const refs = await openFiles(context, SHA1, directory);
  const pack = async () => {
    const direct = (await refs.list()).filter(({ symbolicTarget }) => symbolicTarget === undefined);
    const content = inOneGo(editPackedRefs(new Uint8Array(0), SHA1, { remove: new Set(), add: direct }));
    await writeFile(join(directory, 'packed-refs'), content);
    for (const { name } of direct) await rm(join(directory, name), { force: true });
  };
  return {
    format: refs.format,
    read: (name, options) => refs.read(name, options),
    resolve: (name, options) => refs.resolve(name, options),
    list: (prefixes, options) => refs.list(prefixes, options),
    reflog: (name, options) => refs.reflog(name, options),
    setSymbolic: (name, target, options) => refs.setSymbolic(name, target, options),
    close: () => refs.close(),
    async update(updates, options) {
      const outcomes = await refs.update(updates, options);
      await pack();
      return outcomes;
    },
  };
}

const DATABASES: readonly [string, (context: TestContext) => Promise<RefDatabase>][] = [
  ['memory', async () => createMemoryRefDatabase({ format: SHA1, logAllRefUpdates })],
  ['files', (context) => openFiles(context, SHA1)],
  ['files of SHA-256', (context) => openFiles(context, SHA256)],
  ['files, packed by others all the while', openPacked],
  ['files, new refs packed at once', (context) => openFiles(context, SHA1, undefined, PACK_ALL)],
];

for (const [name, open] of DATABASES) {
  describe(`the ref database of ${name}`, () => {
    for (const conformanceCase of REF_DATABASE_CASES) {
      test(conformanceCase.name, async (context) => {
        const seed = Math.floor(Math.random() * 2 ** 31);
        await conformanceCase.run({ open: () => open(context), equal: assert.deepEqual, seed });
      });
    }
  });
}
