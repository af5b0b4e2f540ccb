import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compileWasm, WASM_FOLDERS, wasmModulePath } from '../../assembly/compile.ts';

for (const folder of WASM_FOLDERS) {
  test(`src/core/${folder} has what assembly/${folder} compiles to; npm run build:wasm makes it so`, async () => {
    assert.equal(readFileSync(wasmModulePath(folder), 'utf8'), await compileWasm(folder));
  });
}
