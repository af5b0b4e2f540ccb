/**
 * Compiles the AssemblyScript of each folder beside it, and writes it down as a TypeScript module that holds it as text,
 * so that the package stays plain ESM that any platform can load.
 *
 *   npm run build:wasm
 *
 * What it writes is checked in; a test compiles again and compares.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import asc from 'assemblyscript/asc';
import { writeConditions } from './unavoidable-conditions.ts';

/** Folders here, and in `src/core`. */
export const WASM_FOLDERS = ['sha1', 'inflate'] as const;

export type WasmFolder = (typeof WASM_FOLDERS)[number];

/** Where what was compiled from a folder is written. */
export function wasmModulePath(folder: WasmFolder): string {
  return join(import.meta.dirname, '../src/core', folder, 'wasm-module.ts');
}

/** @returns the text of the folder's {@link wasmModulePath} */
export async function compileWasm(folder: WasmFolder): Promise<string> {
  let code = '';
  const messages: string[] = [];
  const { error } = await asc.main(
    [
      'exports.ts',
      '--outFile=module.wasm',
      '--optimizeLevel=3',
      '--shrinkLevel=0',
      '--noAssert',
      '--use=abort=',
      '--runtime=stub',
      '--enable=simd',
      '--importMemory',
      '--zeroFilledMemory',
    ],
    {
      stderr: { write: (text: string) => void messages.push(text) },
      readFile: (name) => readSource(folder, name),
      writeFile(name, contents) {
        if (name.endsWith('.wasm')) code = Buffer.from(contents as Uint8Array).toString('base64');
      },
      listFiles: () => [],
    },
  );
  if (error !== null || code === '') throw new Error(`asc failed: ${messages.join('')}`, { cause: error });
  return `/** Compiled from assembly/${folder} by \`npm run build:wasm\`: base64 of a WebAssembly module. */\nexport const WASM_MODULE =\n  '${code}';\n`;
}

function readSource(folder: WasmFolder, name: string): string | null {
  if (name === 'conditions.ts') return writeConditions();
  if (name !== basename(name)) return null; // the compiler looks for libraries in many places
  try {
    return readFileSync(join(import.meta.dirname, folder, name), 'utf8');
  } catch {
    return null;
  }
}

if (process.argv[1] === import.meta.filename) {
  for (const folder of WASM_FOLDERS) writeFileSync(wasmModulePath(folder), await compileWasm(folder));
}
