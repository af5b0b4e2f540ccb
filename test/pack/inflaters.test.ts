import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { isGitError } from '../../src/core/errors.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { SHA1 } from '../../src/core/object-id.ts';
import { BLOB } from '../../src/core/object-kind.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import { parsePackIndex } from '../../src/pack/idx-reader.ts';
import { createMemoryFile } from '../../src/pack/memory-file.ts';
import { PackReader } from '../../src/pack/pack-reader.ts';
import { createMemoryPackSink } from '../../src/pack/pack-sink.ts';
import { INFLATERS } from '../support/inflaters.ts';
import { ingest } from '../support/ingest.ts';
import {
  appendingDelta,
  blobEntry,
  ofsDeltaEntry,
  packOf,
  wholeEntry,
  withTrailer,
} from '../support/pack-builder.ts';
import { chunked } from '../support/streams.ts';

// Stored, with the fixed code and with codes of their own; in one piece, in several; a delta of any of them.
const noise = new Uint8Array(400_000).map((_, i) => Math.imul(i, 2654435761) >>> (16 + (i % 7)));
const lines = Array.from({ length: 4000 }, (_, i) => `line ${i * i}\n`).join('');
const large = wholeEntry(BLOB, encodeText(lines));
const pack = packOf([
  blobEntry(''),
  blobEntry('hello\n'),
  wholeEntry(BLOB, noise),
  large,
  ofsDeltaEntry(large.length, appendingDelta(lines.length, 'the end\n')),
]);

const body = pack.subarray(0, pack.length - SHA1.idBytes);

/** The index made of `bytes`, and the objects read through it; or the code of the error. */
async function outcome(bytes: Uint8Array, cuts: readonly number[], runtime: Runtime): Promise<unknown> {
  const sink = createMemoryPackSink();
  try {
    const indexed = await ingest(chunked(bytes, cuts), { runtime, sink });
    const encoded = concatBytes(...indexed.encodeIndex());
    const index = parsePackIndex(encoded, { format: SHA1, packBytes: sink.sizeBytes });
    const reader = new PackReader({ name: 'tested', file: createMemoryFile(sink.bytes), index }, { runtime });
    const { offsets } = indexed.table.columns;
    const objects = Array.from({ length: indexed.objectCount }, (_, entry) =>
      reader.readAt(offsets[entry] as number),
    );
    return { encoded, objects };
  } catch (error) {
    if (!isGitError(error)) throw error;
    return error.code;
  }
}

for (const { name, create } of INFLATERS) {
  const runtime: Runtime = { ...nodeRuntime, createInflater: create };

  describe(`packs with the ${name} inflater`, () => {
    test('are indexed and read, however they are cut', async () => {
      const expected = await outcome(pack, [], nodeRuntime);
      assert.notEqual(typeof expected, 'string');
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 8 }), async (cuts) => {
          assert.deepEqual(await outcome(pack, cuts, runtime), expected);
        }),
        { numRuns: 8 },
      );
    });

    test('say the same of an entry of which a bit is wrong, whatever inflates it', async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(body.length - 1), fc.nat(7), async (at, bit) => {
          const damaged = body.slice();
          damaged[at] = (damaged[at] as number) ^ (1 << bit);
          const whole = withTrailer(damaged);
          assert.deepEqual(await outcome(whole, [], runtime), await outcome(whole, [], nodeRuntime));
        }),
        { numRuns: 20 },
      );
    });
  });
}

test('PACKWIRE_INFLATER names the inflater of the whole process', async () => {
  const script = `import { createNodeInflater } from './src/core/node/inflater.ts';
    console.log(createNodeInflater().constructor.name);`;
  const inflater = async (name: string) => {
    const env = { ...process.env, PACKWIRE_INFLATER: name };
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
    return (await promisify(execFile)(process.execPath, args, { env })).stdout.trim();
  };
  assert.equal(await inflater('native'), 'NativeInflater');
  assert.equal(await inflater('wasm'), 'WasmInflater');
  assert.equal(await inflater('pako'), 'PakoInflater');
  await assert.rejects(inflater('fast'), /UNSUPPORTED/);
});
