import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Progress } from '../../src/core/byte-stream.ts';
import { concatBytes, decodeText, encodeText } from '../../src/core/bytes.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { bytesToHex } from '../../src/core/object-id.ts';
import { BLOB, TREE } from '../../src/core/object-kind.ts';
import { portableRuntime } from '../../src/core/portable/runtime.ts';
import { createMemoryPackSink } from '../../src/pack/pack-sink.ts';
import { ingest, objectsIn } from '../support/ingest.ts';
import {
  appendingDelta,
  blobEntry,
  blobId,
  ofsDeltaEntry,
  packOf,
  refDeltaEntry,
  wholeEntry,
  withTrailer,
} from '../support/pack-builder.ts';
import { chunked } from '../support/streams.ts';

const hello = blobEntry('hello');
const helloWorld = appendingDelta(5, ' world');
const helloWorldTwice = appendingDelta(11, ' world');

/** What a pack holds, as `text` of each blob in pack order. */
const EXAMPLES: readonly (readonly [string, readonly Uint8Array[], readonly string[]])[] = [
  ['no objects', [], []],
  ['an empty blob', [blobEntry('')], ['']],
  ['two blobs', [hello, blobEntry('bye')], ['hello', 'bye']],
  ['a delta by offset', [hello, ofsDeltaEntry(hello.length, helloWorld)], ['hello', 'hello world']],
  [
    'a delta of a delta',
    [
      hello,
      ofsDeltaEntry(hello.length, helloWorld),
      ofsDeltaEntry(ofsDeltaEntry(hello.length, helloWorld).length, helloWorldTwice),
    ],
    ['hello', 'hello world', 'hello world world'],
  ],
  [
    'a delta by id, base first',
    [hello, refDeltaEntry(blobId('hello'), helloWorld)],
    ['hello', 'hello world'],
  ],
  ['a delta by id, base last', [refDeltaEntry(blobId('hello'), helloWorld), hello], ['hello world', 'hello']],
  [
    'a chain by id, backwards',
    [
      refDeltaEntry(blobId('hello world'), helloWorldTwice),
      refDeltaEntry(blobId('hello'), helloWorld),
      hello,
    ],
    ['hello world world', 'hello world', 'hello'],
  ],
  [
    'deltas by id whose base comes twice',
    [
      hello,
      refDeltaEntry(blobId('hello'), helloWorld),
      hello,
      refDeltaEntry(blobId('hello'), appendingDelta(5, '!')),
    ],
    ['hello', 'hello world', 'hello', 'hello!'],
  ],
  [
    'a delta that makes an object of the pack again',
    [blobEntry('hello world'), hello, ofsDeltaEntry(hello.length, helloWorld)],
    ['hello world', 'hello', 'hello world'],
  ],
  ['a delta that makes nothing', [hello, ofsDeltaEntry(hello.length, new Uint8Array([5, 0]))], ['hello', '']],
];

for (const runtime of [nodeRuntime, portableRuntime]) {
  describe(`indexPack() with the ${runtime.name} runtime`, () => {
    for (const [what, entries, texts] of EXAMPLES) {
      test(`reads ${what}, in one chunk and byte by byte`, async () => {
        const pack = packOf(entries);
        for (const sizes of [[], [1]]) {
          const sink = createMemoryPackSink();
          const indexed = await ingest(chunked(pack, sizes), { runtime, sink });
          assert.deepEqual(sink.bytes, pack);
          const objects = [...objectsIn(indexed, sink)];
          assert.deepEqual(
            objects.map(({ data }) => decodeText(data)),
            texts,
          );
          assert.deepEqual(
            objects.map(({ id }) => id),
            texts.map((text) => bytesToHex(blobId(text))),
          );
          assert.equal(indexed.objectCount, texts.length);
          assert.equal(indexed.sizeBytes, pack.length);
          assert.deepEqual(indexed.checksum, pack.subarray(-20));
        }
      });
    }
  });
}

test('indexPack() reads version 3 packs, as git does', async () => {
  const body = packOf([hello]).slice(0, -20);
  body[7] = 3;

  assert.equal((await ingest(chunked(withTrailer(body)))).objectCount, 1);
});

test('indexPack() reads SHA-256 packs, deltas by id included', async () => {
  const pack = packOf([refDeltaEntry(blobId('hello', 'sha256'), helloWorld), hello], { format: 'sha256' });
  const sink = createMemoryPackSink();
  const indexed = await ingest(chunked(pack, [7]), { sink, format: 'sha256' });
  assert.deepEqual(
    [...objectsIn(indexed, sink)].map(({ id }) => id),
    ['hello world', 'hello'].map((text) => bytesToHex(blobId(text, 'sha256'))),
  );
});

test('indexPack() hashes objects larger than it holds', async () => {
  for (const sizeBytes of [131_071, 131_072, 131_073, 1_000_003]) {
    const text = 'x'.repeat(sizeBytes);
    const sink = createMemoryPackSink();
    const indexed = await ingest(chunked(packOf([blobEntry(text)]), [1000]), { sink });
    assert.equal(bytesToHex(indexed.table.columns.ids, 0, 20), bytesToHex(blobId(text)));
    assert.equal(indexed.largestObjectBytes, sizeBytes);
  }
});

test('indexPack() makes objects larger than the memory it keeps for bases', async () => {
  const text = 'y'.repeat(9_000_000);
  const base = blobEntry(text);
  const first = ofsDeltaEntry(base.length, appendingDelta(text.length, '1'));
  const second = ofsDeltaEntry(base.length + first.length, appendingDelta(text.length, '2'));
  const third = ofsDeltaEntry(first.length + second.length, appendingDelta(text.length + 1, '3'));
  const indexed = await ingest(chunked(packOf([base, first, second, third])));
  assert.deepEqual(
    [0, 1, 2, 3].map((entry) => bytesToHex(indexed.table.columns.ids, entry * 20, 20)),
    [text, `${text}1`, `${text}2`, `${text}13`].map((made) => bytesToHex(blobId(made))),
  );
});

test('indexPack() comes back to bases it had to drop, however deep', async () => {
  // Every level has two deltas, so every base is needed again after everything below it: 120 MB through 16 MiB.
  const size = 1_000_000;
  const entries = [blobEntry('z'.repeat(size))];
  const texts = ['z'.repeat(size)];
  let parent = 0;
  let offset = 12 + (entries[0] as Uint8Array).length;
  const offsets = [12];
  const add = (base: number, text: string) => {
    const entry = ofsDeltaEntry(
      offset - (offsets[base] as number),
      appendingDelta((texts[base] as string).length, text),
    );
    offsets.push(offset);
    offset += entry.length;
    texts.push((texts[base] as string) + text);
    return entries.push(entry) - 1;
  };
  for (let level = 0; level < 60; level++) {
    const next = add(parent, 'a');
    add(parent, 'b');
    add(next, 'c');
    parent = next;
  }
  const indexed = await ingest(chunked(packOf(entries)));
  texts.forEach((text, entry) => {
    assert.equal(bytesToHex(indexed.table.columns.ids, entry * 20, 20), bytesToHex(blobId(text)));
  });
});

describe('a thin pack', () => {
  const thin = packOf([
    refDeltaEntry(blobId('hello'), helloWorld),
    refDeltaEntry(blobId('bye'), appendingDelta(3, '!')),
  ]);
  const repository = new Map([
    [bytesToHex(blobId('hello')), 'hello'],
    [bytesToHex(blobId('bye')), 'bye'],
  ]);
  const thinBases = {
    read: (ids: Uint8Array, at: number) => {
      const text = repository.get(bytesToHex(ids, at, 20));
      return text === undefined ? undefined : { kind: 'blob' as const, data: encodeText(text) };
    },
  };

  test('is completed with the bases it names', async () => {
    const sink = createMemoryPackSink();
    const indexed = await ingest(chunked(thin, [5]), { sink, thinBases });
    assert.equal(indexed.completedCount, 2);
    assert.equal(indexed.objectCount, 4);
    assert.equal(sink.bytes[11], 4);

    // What it has become is a pack of its own, with the same index.
    const again = await ingest(chunked(sink.bytes.slice()));
    assert.deepEqual(concatBytes(...again.encodeIndex()), concatBytes(...indexed.encodeIndex()));
    assert.deepEqual(
      [...objectsIn(indexed, sink)].map(({ data }) => decodeText(data)),
      ['hello world', 'bye!', 'hello', 'bye'],
    );
  });

  test('takes no base that one of its own objects turns out to be', async () => {
    const pack = packOf([
      refDeltaEntry(blobId('hello'), helloWorld),
      refDeltaEntry(blobId('hello world'), helloWorldTwice),
    ]);
    const indexed = await ingest(chunked(pack), { thinBases });
    assert.equal(indexed.completedCount, 1);
  });

  test('waits for a base that only a later base makes', async () => {
    const pack = packOf([
      refDeltaEntry(blobId('hello world'), helloWorldTwice),
      refDeltaEntry(blobId('hello'), helloWorld),
    ]);
    const indexed = await ingest(chunked(pack), { thinBases });
    assert.equal(indexed.completedCount, 1);
    assert.equal(indexed.objectCount, 3);
  });

  test('is OBJECT_MISSING without a repository, or when it has not the base', async () => {
    const expected = { code: 'OBJECT_MISSING', detail: { base: bytesToHex(blobId('hello')), offset: 12 } };
    await assert.rejects(ingest(chunked(thin)), expected);
    await assert.rejects(ingest(chunked(thin), { thinBases: { read: () => undefined } }), expected);
  });

  test('is OBJECT_CORRUPT when the repository has something else under that id', async () => {
    const lying = { read: () => ({ kind: 'blob' as const, data: encodeText('HELLO') }) };
    await assert.rejects(ingest(chunked(thin), { thinBases: lying }), { code: 'OBJECT_CORRUPT' });
  });
});

describe('bytes after the trailer', () => {
  const pack = packOf([hello]);
  const longer = concatBytes(pack, encodeText('more'));

  for (const sizes of [[], [1], [pack.length]]) {
    test(`are refused, in chunks of ${sizes[0] ?? 'any size'}`, async () => {
      await assert.rejects(ingest(chunked(longer, sizes)), {
        code: 'PACK_CORRUPT',
        detail: { offset: pack.length },
      });
    });
  }

  test('are left alone when the caller says so, and the input stays open', async () => {
    let closed = false;
    async function* input() {
      try {
        yield pack.slice();
        yield encodeText('more');
      } finally {
        closed = true;
      }
    }
    const stream = input();
    assert.equal((await ingest(stream, { allowTrailingBytes: true })).objectCount, 1);
    assert.equal(closed, false);
    assert.deepEqual(await stream.next(), { done: false, value: encodeText('more') });
    await ingest(chunked(longer), { allowTrailingBytes: true });
  });
});

test('indexPack() reports how far it has come', async () => {
  const seen: Progress[] = [];
  const pack = packOf([hello, ofsDeltaEntry(hello.length, helloWorld), wholeEntry(TREE, new Uint8Array(0))]);
  await ingest(chunked(pack), { onProgress: (progress) => seen.push(progress) });
  const last = new Map(seen.map((progress) => [progress.title, progress]));
  assert.deepEqual(last.get('Receiving objects'), {
    title: 'Receiving objects',
    done: 3,
    total: 3,
    bytes: pack.length,
    finished: true,
  });
  assert.deepEqual(last.get('Resolving deltas'), {
    title: 'Resolving deltas',
    done: 1,
    total: 1,
    finished: true,
  });
});

test('indexPack() waits for the sink before it reads on', async () => {
  const pack = packOf([
    wholeEntry(
      BLOB,
      new Uint8Array(400_000).map((_, i) => (i * i) >> 3),
    ),
  ]);
  const memory = createMemoryPackSink();
  let waiting = 0;
  let most = 0;
  async function* input() {
    for await (const chunk of chunked(pack, [1000])) {
      waiting += chunk.length;
      most = Math.max(most, waiting);
      yield chunk;
    }
  }
  await ingest(input(), {
    sink: {
      ...memory,
      sizeBytes: 0,
      async write(bytes) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        waiting -= bytes.length;
        await memory.write(bytes);
      },
    },
  });
  assert.ok(most <= 3000, `at most three chunks are on their way, got ${most} bytes`);
});

test('indexPack() stops when its signal fires, wherever it is', async () => {
  const pack = packOf([hello, blobEntry('bye')]);
  const stop = new AbortController();
  async function* input() {
    yield pack.slice(0, 20);
    stop.abort();
    yield pack.slice(20);
  }
  await assert.rejects(ingest(input(), { signal: stop.signal }), { code: 'ABORTED' });
});

test('indexPack() passes on what the sink throws', async () => {
  const failure = new Error('disk full');
  const sink = {
    ...createMemoryPackSink(),
    sizeBytes: 0,
    write: async () => {
      throw failure;
    },
  };
  await assert.rejects(ingest(chunked(packOf([hello]), [4]), { sink }), (error) => error === failure);
});
