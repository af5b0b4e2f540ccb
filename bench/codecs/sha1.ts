import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { SHA1 } from '../../src/core/object-id.ts';
import { portableRuntime } from '../../src/core/portable/runtime.ts';
import type { DetectingSha1 } from '../../src/core/sha1/detecting-sha1.ts';
import { createPlainSha1 } from '../../src/core/sha1/plain-sha1.ts';
import { createWasmSha1 } from '../../src/core/sha1/wasm-sha1.ts';
import { type Case, sampleText } from './case.ts';

const SIZES = [60, 300, 3000, 30_000, 300_000];
const MOST_BYTES = 1_800_000;

/** SHA-1 that detects collision attacks, beside one that does not. */
export function sha1Cases(): Case[] {
  const wasm = createWasmSha1() as Required<DetectingSha1>;
  const plain = createPlainSha1();
  return SIZES.flatMap((sizeBytes) => {
    const content = sampleText(sizeBytes);
    const id = new Uint8Array(20);
    const items = Math.max(1, Math.min(200, Math.floor(MOST_BYTES / sizeBytes)));
    const each = (name: string, hash: () => void): Case => ({
      group: 'sha1',
      name: `${sizeBytes} bytes, ${name}`,
      items,
      bytes: items * sizeBytes,
      run: () => {
        for (let i = 0; i < items; i++) hash();
      },
    });
    const batch = wasm.createBatch();
    return [
      {
        ...each('detecting, WebAssembly, batch', () => {}),
        run: () => {
          for (let i = 0; i < items; i++) batch.add(content, 0, content.length, i);
          batch.flush(true, () => {});
        },
      },
      each('detecting, WebAssembly', () => wasm.hashInto(content, 0, content.length, id, 0)),
      each('detecting, JavaScript', () => plain.hashInto(content, 0, content.length, id, 0)),
      each('not detecting, node:crypto', () => {
        nodeRuntime.hashInto(SHA1, content, 0, content.length, id, 0);
      }),
      each('not detecting, @noble/hashes', () => {
        portableRuntime.hashInto(SHA1, content, 0, content.length, id, 0);
      }),
    ];
  });
}
