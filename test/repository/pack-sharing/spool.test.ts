/**
 * Bytes put aside: in memory while they are few, then in a file.
 */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes } from '../../../src/core/bytes.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { spoolsIn } from '../../../src/repository/node/spool-file.ts';
import {
  type CreateSpool,
  MOST_HELD_BYTES,
  SpooledBytes,
  SpoolUsage,
} from '../../../src/repository/pack-sharing/spool.ts';
import { scratchDirectory } from '../../support/git.ts';

describe('a spool file', () => {
  test('has no name, and gives back what was appended', async (t) => {
    const directory = await scratchDirectory(t);
    const spool = await spoolsIn(directory)();
    assert.deepEqual(readdirSync(directory), []);
    await spool.append(Uint8Array.of(1, 2, 3));
    await spool.append(Uint8Array.of(4, 5));
    const read = new Uint8Array(4);
    spool.readInto(1, read, 1, 3);
    assert.deepEqual(read, Uint8Array.of(0, 2, 3, 4));
    assert.throws(() => spool.readInto(4, read, 0, 2), { code: 'STORAGE_FAILED' });
    spool.close();
  });

  test('cannot be made where there is no directory, or none that may be written to', async (t) => {
    const directory = await scratchDirectory(t);
    await assert.rejects(spoolsIn(`${directory}/none`)(), { code: 'STORAGE_FAILED' });
    if (process.getuid?.() === 0) return; // root may write anywhere
    chmodSync(directory, 0o500);
    await assert.rejects(spoolsIn(directory)(), { code: 'STORAGE_FAILED' });
  });

  test('outlives its directory', async (t) => {
    const directory = await scratchDirectory(t);
    const spool = await spoolsIn(directory)();
    rmSync(directory, { recursive: true });
    await spool.append(Uint8Array.of(7));
    const read = new Uint8Array(1);
    spool.readInto(0, read, 0, 1);
    assert.equal(read[0], 7);
    spool.close();
  });
});

test('whatever is appended can be read from any place, and is counted until it is closed', async (t) => {
  const directory = await scratchDirectory(t);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: MOST_HELD_BYTES / 2 }), { maxLength: 6 }),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(70_000)), { maxLength: 5 }),
      async (lengths, places) => {
        const usage = new SpoolUsage();
        const aside = new SpooledBytes(spoolsIn(directory), usage, DEFAULT_LIMITS);
        const parts = lengths.map((length, n) => Uint8Array.from({ length }, (_, i) => (i * 31 + n) & 0xff));
        for (const part of parts) await aside.append(part);
        const all = concatBytes(...parts);
        for (const [share, most] of places) {
          const start = Math.floor(share * all.length);
          const length = Math.min(most, all.length - start);
          const read = new Uint8Array(length);
          aside.readInto(start, read, 0, length);
          assert.deepEqual(read, all.slice(start, start + length));
        }
        const isInFile = all.length > MOST_HELD_BYTES;
        assert.deepEqual([usage.files, usage.bytes], isInFile ? [1, all.length] : [0, 0]);
        aside.close();
        aside.close();
        assert.deepEqual([usage.files, usage.bytes], [0, 0]);
      },
    ),
    { numRuns: 30 },
  );
});

test('what was appended can be read while more is on its way', async () => {
  const parts = [1, 2, 3].map((value) => new Uint8Array(200_000).fill(value));
  let stored: Uint8Array = new Uint8Array(0);
  let letGo: (() => void)[] = [];
  const create: CreateSpool = async () => ({
    async append(bytes) {
      await new Promise<void>((resolve) => letGo.push(resolve));
      stored = concatBytes(stored, bytes);
    },
    readInto(position, target, targetOffset, length) {
      assert.ok(position + length <= stored.length, 'read before it was written');
      target.set(stored.slice(position, position + length), targetOffset);
    },
    close: () => undefined,
  });
  const aside = new SpooledBytes(create, new SpoolUsage(), DEFAULT_LIMITS);
  let appended = 0;
  for (const part of parts) {
    let isDone = false;
    const done = aside.append(part).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      const read = new Uint8Array(appended);
      aside.readInto(0, read, 0, appended);
      assert.deepEqual(read, concatBytes(...parts).subarray(0, appended));
      await new Promise((resolve) => setImmediate(resolve));
      const ready = letGo;
      letGo = [];
      for (const go of ready) go();
    }
    await done;
    appended += part.length;
  }
  aside.close();
});

test('two packs share the room of the process', async (t) => {
  const usage = new SpoolUsage();
  const limits = { ...DEFAULT_LIMITS, maxSpoolBytes: 1_000_000 };
  const create = spoolsIn(await scratchDirectory(t));
  const first = new SpooledBytes(create, usage, limits);
  const second = new SpooledBytes(create, usage, limits);
  await first.append(new Uint8Array(600_000));
  await assert.rejects(second.append(new Uint8Array(600_000)), { code: 'LIMIT_EXCEEDED' });
  second.close();
  assert.deepEqual([usage.files, usage.bytes], [1, 600_000]);
  first.close();
  assert.deepEqual([usage.files, usage.bytes], [0, 0]);
});

test('so many files, and no more, are open at the same time', async (t) => {
  const usage = new SpoolUsage();
  const create = spoolsIn(await scratchDirectory(t));
  const open: SpooledBytes[] = [];
  const append = async (): Promise<void> => {
    const aside = new SpooledBytes(create, usage, DEFAULT_LIMITS);
    open.push(aside);
    await aside.append(new Uint8Array(MOST_HELD_BYTES + 1));
  };
  for (let n = 0; n < 64; n++) await append();
  await assert.rejects(append(), { code: 'LIMIT_EXCEEDED' });
  open[0]?.close();
  await append();
  for (const aside of open) aside.close();
  assert.deepEqual([usage.files, usage.bytes], [0, 0]);
});
