import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { SHA1, SHA256 } from '../../src/core/object-id.ts';
import { portableRuntime } from '../../src/core/portable/runtime.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import { type Case, sampleText } from './case.ts';

const RUNTIMES: readonly Runtime[] = [nodeRuntime, portableRuntime];
const SIZES = [60, 300, 3000, 30_000, 300_000];

/** The runtime seam: the same work done by each implementation. */
export function runtimeCases(): Case[] {
  return [...inflateCases(), ...deflateCases(), ...hashCases(), ...crcCases()];
}

function inflateCases(): Case[] {
  return forEach((runtime, content, items) => {
    const deflated = nodeRuntime.deflate(content);
    const input = new Uint8Array(deflated.length + 1); // a pack always has a byte after it
    input.set(deflated);
    const output = new Uint8Array(content.length + 1);
    const inflater = runtime.createInflater();
    return {
      group: 'inflate',
      run: () => {
        for (let i = 0; i < items; i++) {
          inflater.reset();
          inflater.inflate(input, 0, input.length, output, 0, output.length);
        }
      },
    };
  });
}

function deflateCases(): Case[] {
  return forEach((runtime, content, items) => ({
    group: 'deflate',
    run: () => {
      for (let i = 0; i < items; i++) runtime.deflate(content);
    },
  }));
}

function hashCases(): Case[] {
  return [SHA1, SHA256].flatMap((format) =>
    forEach((runtime, content, items) => {
      const id = new Uint8Array(format.idBytes);
      return {
        group: `hash ${format.name}`,
        run: () => {
          for (let i = 0; i < items; i++) runtime.hashInto(format, content, 0, content.length, id, 0);
        },
      };
    }),
  );
}

function crcCases(): Case[] {
  return forEach((runtime, content, items) => ({
    group: 'crc32',
    run: () => {
      for (let i = 0; i < items; i++) runtime.crc32(content, 0, content.length, 0);
    },
  }));
}

function forEach(
  make: (runtime: Runtime, content: Uint8Array, items: number) => Pick<Case, 'group' | 'run'>,
): Case[] {
  return SIZES.flatMap((sizeBytes) =>
    RUNTIMES.map((runtime) => {
      const items = Math.max(1, Math.floor(30_000 / sizeBytes));
      const made = make(runtime, sampleText(sizeBytes), items);
      return { ...made, name: `${sizeBytes} bytes, ${runtime.name}`, items, bytes: items * sizeBytes };
    }),
  );
}
