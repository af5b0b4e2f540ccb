import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { SHA1, SHA256 } from '../../../src/core/object-id.ts';
import { testObjectDatabase } from '../../../src/odb/conformance/object-database-conformance.ts';
import { openFilesObjectDatabase } from '../../../src/odb/node/files-object-database.ts';

for (const format of [SHA1, SHA256]) {
  describe(`the files object database conforms: ${format.name}`, () => {
    const directories: string[] = [];
    after(() => {
      for (const directory of directories) rmSync(directory, { recursive: true, force: true });
    });
    testObjectDatabase({
      test,
      format,
      runtime: nodeRuntime,
      create() {
        const directory = mkdtempSync(join(tmpdir(), 'packwire-test-'));
        directories.push(directory);
        return openFilesObjectDatabase(directory, { format, runtime: nodeRuntime });
      },
    });
  });
}
