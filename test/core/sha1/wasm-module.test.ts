import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileWasm } from '../../../assembly/compile.ts';

test('src/core/sha1/wasm-module.ts is what assembly/ compiles to; npm run build:wasm makes it so', async () => {
  const path = join(import.meta.dirname, '../../../src/core/sha1/wasm-module.ts');
  assert.equal(readFileSync(path, 'utf8'), await compileWasm());
});
