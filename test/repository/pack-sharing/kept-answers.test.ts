/**
 * Small answers that are asked for again are kept whole.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { MemoryBudget } from '../../../src/core/memory-budget.ts';
import { FrameRecorder, payloadsOf } from '../../../src/repository/pack-sharing/frames.ts';
import { PackSharing } from '../../../src/repository/pack-sharing/pack-sharing.ts';
import { CHUNK_BYTES, HEADROOM_BYTES } from '../../../src/repository/pack-writing/pack-output.ts';
import { SharingClient, sharingScene } from '../../support/shared-packs.ts';

const MOST = 1 << 26;

describe('a small answer', () => {
  test('is kept from the second time on, and is the same', async (t) => {
    const scene = await sharingScene(t, 'packed');
    const memory = new MemoryBudget(MOST);
    const sharing = new PackSharing({ memory });
    const before = scene.choices();
    const first = new SharingClient(sharing, scene);
    const expected = await first.takeAll();
    assert.equal(memory.usedBytes, 0, 'nobody may ask for it again');
    assert.deepEqual(await new SharingClient(sharing, scene, { framed: true }).takeAll(), expected);
    assert.equal(scene.choices() - before, 2);
    assert.ok(memory.usedBytes > expected.length);
    for (const framed of [true, false]) {
      const again = new SharingClient(sharing, scene, { framed });
      assert.deepEqual(await again.takeAll(), expected);
      assert.deepEqual(again.result, first.result);
      const ends = ({ progress }: SharingClient) => progress.filter(({ finished }) => finished);
      assert.deepEqual(ends(again), ends(first));
    }
    assert.equal(scene.choices() - before, 2);
  });

  test('goes when memory is needed, and with its repository', async (t) => {
    const scene = await sharingScene(t, 'packed');
    const memory = new MemoryBudget(MOST);
    const sharing = new PackSharing({ memory });
    const take = () => new SharingClient(sharing, scene).takeAll();
    const expected = await take();
    await take();
    memory.setLimit(0);
    assert.equal(memory.usedBytes, 0);
    memory.setLimit(MOST);
    const before = scene.choices();
    assert.deepEqual(await take(), expected);
    assert.equal(scene.choices() - before, 1);
    assert.ok(memory.usedBytes > 0);
    sharing.forget(scene.repository.objects);
    assert.equal(memory.usedBytes, 0);
  });

  test('is not kept when its client leaves early', async (t) => {
    const scene = await sharingScene(t, 'packed');
    const memory = new MemoryBudget(MOST);
    const sharing = new PackSharing({ memory });
    for (let n = 0; n < 3; n++) {
      const client = new SharingClient(sharing, scene);
      await client.take();
      await client.leave();
    }
    assert.equal(memory.usedBytes, 0);
  });

  test('of another request is another one', async (t) => {
    const scene = await sharingScene(t, 'packed');
    const sharing = new PackSharing({ memory: new MemoryBudget(MOST) });
    const request = { ...scene.request, filter: { kind: 'blob:none' } } as const;
    const whole = await new SharingClient(sharing, scene).takeAll();
    const some = await new SharingClient(sharing, scene, { request }).takeAll();
    for (let n = 0; n < 2; n++) {
      assert.deepEqual(await new SharingClient(sharing, scene).takeAll(), whole);
      assert.deepEqual(await new SharingClient(sharing, scene, { request }).takeAll(), some);
    }
    assert.ok(some.length < whole.length);
  });
});

describe('FrameRecorder', () => {
  test('gives nothing back when it is too much', () => {
    const recorder = new FrameRecorder(10);
    recorder.add(new Uint8Array(6));
    recorder.add(new Uint8Array(6));
    recorder.add(new Uint8Array(1));
    assert.equal(recorder.finish(), undefined);
  });

  test('leaves room before each full payload, however the bytes come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3 * CHUNK_BYTES }), { maxLength: 8 }), (sizes) => {
        const recorder = new FrameRecorder(MOST);
        const whole = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
        for (let at = 0; at < whole.length; at++) whole[at] = Math.imul(at, 0x9e3779b1) >>> 24;
        let at = 0;
        for (const size of sizes) {
          recorder.add(whole.subarray(at, at + size));
          at += size;
        }
        const frames = recorder.finish() ?? [];
        const payloads = frames.flatMap((block) => [...payloadsOf(block)]);
        for (const payload of payloads.slice(0, -1)) assert.equal(payload.length, CHUNK_BYTES);
        assert.deepEqual(Buffer.concat(payloads), Buffer.from(whole));
        const framed = frames.reduce((sum, { length }) => sum + length, 0);
        assert.equal(framed, whole.length + HEADROOM_BYTES * payloads.length);
      }),
      { numRuns: 20 },
    );
  });
});
