import { describe, test } from 'node:test';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { SHA1, SHA256 } from '../../src/core/object-id.ts';
import { portableRuntime } from '../../src/core/portable/runtime.ts';
import { testObjectDatabase } from '../../src/odb/conformance/object-database-conformance.ts';
import { createMemoryObjectDatabase } from '../../src/odb/memory-object-database.ts';

for (const [format, runtime] of [
  [SHA1, nodeRuntime],
  [SHA256, nodeRuntime],
  [SHA1, portableRuntime],
] as const) {
  describe(`the memory object database conforms: ${format.name}, ${runtime.name} runtime`, () => {
    testObjectDatabase({
      test,
      format,
      runtime,
      create: async () => createMemoryObjectDatabase({ format, runtime }),
    });
  });
}
