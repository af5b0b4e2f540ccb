/**
 * Parsers of packs and of the files beside them.
 *
 * @module
 */
import { concatBytes, encodeLatin1 } from '../../../src/core/bytes.ts';
import { createWasmInflater } from '../../../src/core/inflate/wasm-inflater.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import { TREE } from '../../../src/core/object-kind.ts';
import type { Inflater } from '../../../src/core/runtime.ts';
import { readLooseHeader, readLooseObject, streamLooseObject } from '../../../src/odb/loose-object.ts';
import { packBitmapObjects } from '../../../src/pack/bitmap-objects.ts';
import { readBitmaps } from '../../../src/pack/bitmap-reader.ts';
import { Bitset } from '../../../src/pack/bitset.ts';
import { type CommitGraph, parseCommitGraph } from '../../../src/pack/commit-graph.ts';
import { applyDelta, type DeltaSizes, readDeltaSizes } from '../../../src/pack/delta.ts';
import {
  createEntryHeader,
  MAX_ENTRY_HEADER_BYTES,
  parseEntryHeader,
} from '../../../src/pack/entry-header.ts';
import { endOfEwah, toggleEwah } from '../../../src/pack/ewah.ts';
import { STRICT_FSCK_RULES } from '../../../src/pack/fsck/rules.ts';
import { parsePackIndex } from '../../../src/pack/idx-reader.ts';
import { createMemoryFile } from '../../../src/pack/memory-file.ts';
import { parseMultiPackIndex } from '../../../src/pack/multi-pack-index.ts';
import { parsePackHeader } from '../../../src/pack/pack-header.ts';
import type { PackIndex } from '../../../src/pack/pack-index.ts';
import { PackReader } from '../../../src/pack/pack-reader.ts';
import { parseReverseIndex } from '../../../src/pack/reverse-index.ts';
import { resealed } from '../../support/bitmapped-repository.ts';
import { INFLATERS, inflateAll } from '../../support/inflaters.ts';
import { ingest } from '../../support/ingest.ts';
import {
  appendingDelta,
  blobEntry,
  blobId,
  ofsDeltaEntry,
  packOf,
  refDeltaEntry,
  wholeEntry,
} from '../../support/pack-builder.ts';
import { chunked } from '../../support/streams.ts';
import { type FuzzedParser, orRefusal } from '../fuzzed-parser.ts';
import { type RealFiles, realFiles } from '../real-files.ts';

const BASE = new Uint8Array(1000).map((_, i) => i);
const MOST_DELTA_TARGET_BYTES = 1024 * 1024;

export function packParsers(): FuzzedParser[] {
  const files = realFiles();
  const seal = (bytes: Uint8Array): Uint8Array => (bytes.length < 20 ? bytes : resealed(bytes, SHA1));
  const index = parsePackIndex(files.idx, { format: SHA1, packBytes: files.packBytes });
  return [
    { name: 'pack-header', corpus: [files.pack.subarray(0, 12)], read: (input) => parsePackHeader(input) },
    entryHeader(files),
    delta,
    ...INFLATERS.map(({ name, create }) => inflater(name, create(), files)),
    wasmInSteps(files),
    incomingPack(files, seal),
    storedPack(files, index),
    { name: 'idx', corpus: [files.idx, files.idxV1], seal, read: (input) => readIndex(input, files) },
    reverseIndex(files, index, seal),
    { name: 'bitmap', corpus: [files.bitmap], seal, read: (input) => readEveryBitmap(input, index, files) },
    ewah(files),
    { name: 'multi-pack-index', corpus: [files.multiPackIndex], seal, read: readMultiPackIndex },
    {
      name: 'commit-graph',
      corpus: [files.commitGraph, files.commitGraphLevels],
      seal,
      read: (input) => readGraph(parseCommitGraph(input, { format: SHA1, runtime: nodeRuntime })),
    },
    looseObject(files),
  ];
}

function entryHeader({ pack }: RealFiles): FuzzedParser {
  const header = createEntryHeader();
  return {
    name: 'entry-header',
    corpus: [
      pack.subarray(12, 12 + MAX_ENTRY_HEADER_BYTES),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
    ],
    read(input) {
      if (!parseEntryHeader(input, 0, input.length, SHA1.idBytes, header)) return;
      const { sizeBytes, headerBytes, baseDistance } = header;
      const areNumbers = [sizeBytes, headerBytes, baseDistance].every(
        (n) => Number.isSafeInteger(n) && n >= 0,
      );
      if (!areNumbers || headerBytes > input.length) throw new Error('an entry header makes no sense');
    },
  };
}

const delta: FuzzedParser = {
  name: 'delta',
  corpus: [appendingDelta(1000, 'text'), appendingDelta(1000, '', 1000), Uint8Array.of(0xe8, 7, 3, 1, 1, 2)],
  read(input) {
    const sizes: DeltaSizes = { baseBytes: 0, targetBytes: 0, instructions: 0 };
    readDeltaSizes(input, 0, input.length, sizes);
    if (sizes.targetBytes > MOST_DELTA_TARGET_BYTES) return;
    const target = new Uint8Array(sizes.targetBytes + 8).fill(7);
    const { instructions, targetBytes } = sizes;
    orRefusal(() =>
      applyDelta(BASE, 0, BASE.length, input, instructions, input.length, target, 4, targetBytes),
    );
    // What was asked for lies between two marks that nobody may write over.
    for (let i = 0; i < 4; i++) {
      const isWhole = target[i] === 7 && target[targetBytes + 4 + i] === 7;
      if (!isWhole) throw new Error('written outside the target');
    }
  },
};

function deflated({ loose }: RealFiles): Uint8Array[] {
  const stored = nodeRuntime.deflate(
    new Uint8Array(600).map((_, i) => i * 7),
    0,
  );
  return [...loose, stored, nodeRuntime.deflate(new Uint8Array(30_000), 9)];
}

function inflater(name: string, inflater: Inflater, files: RealFiles): FuzzedParser {
  return {
    name: `inflate-${name}`,
    corpus: deflated(files),
    read: (input) => inflateAll(inflater, input, 40_000),
  };
}

/** The one that is our own, against the system's: the same bytes, or the same refusal. */
function wasmInSteps(files: RealFiles): FuzzedParser {
  const wasm = createWasmInflater() as Inflater;
  const oracle = nodeRuntime.createInflater();
  return {
    name: 'inflate-alike',
    corpus: deflated(files),
    read(input) {
      const room = 2000;
      const followed = concatBytes(input, Uint8Array.of(0)); // the end may show only then
      const mine = inflateAll(wasm, followed, room, { input: () => 7, room: () => 33 });
      const other = inflateAll(oracle, followed, room);
      const isAlike = mine.kind === other.kind && Buffer.compare(mine.output, other.output) === 0;
      if (!isAlike)
        throw new Error(`${mine.kind} ${mine.output.length} is not ${other.kind} ${other.output.length}`);
    },
  };
}

function incomingPack(files: RealFiles, seal: (bytes: Uint8Array) => Uint8Array): FuzzedParser {
  const limits = { ...DEFAULT_LIMITS, maxInflatedBytes: 1 << 24, maxResolvedBytes: 1 << 24 };
  return {
    name: 'pack',
    corpus: [...smallPacks(), files.thinPack],
    seal,
    async read(input) {
      const cuts = [1 + ((input[11] ?? 0) % 200) * 16];
      return ingest(chunked(input, cuts), { limits, findSelfContained: true, fsck: STRICT_FSCK_RULES });
    },
  };
}

/** Of a few entries, so that many of them can be tried. */
function smallPacks(): Uint8Array[] {
  const base = blobEntry('base');
  const tree = wholeEntry(TREE, concatBytes(encodeLatin1('100644 a\0'), blobId('base')));
  return [
    packOf([]),
    packOf([base]),
    packOf([base, ofsDeltaEntry(base.length, appendingDelta(4, 'x'))]),
    packOf([refDeltaEntry(blobId('base'), appendingDelta(4, 'x')), base]),
    packOf([refDeltaEntry(blobId('other'), appendingDelta(5, 'x'))]),
    packOf([base, tree, ofsDeltaEntry(tree.length, appendingDelta(29, ''))]),
    packOf([blobEntry('lie', { declaredBytes: 2 ** 40 })]),
    packOf([base], { count: 0xffffffff }),
  ];
}

/** A pack that was sound when its index was made. */
function storedPack({ pack }: RealFiles, index: PackIndex): FuzzedParser {
  return {
    name: 'stored-pack',
    corpus: [pack],
    read(input) {
      const reader = new PackReader(
        { name: 'fuzzed', file: createMemoryFile(input), index },
        { runtime: nodeRuntime },
      );
      // Two, chosen by the input: all of them would take too long.
      const first = (input[input.length >> 1] ?? 0) % index.objectCount;
      for (const rank of [first, (first * 7) % index.objectCount]) {
        const offset = index.offsetOf(rank);
        orRefusal(() => reader.headerAt(offset));
        orRefusal(() => reader.readAt(offset));
      }
    },
  };
}

function readIndex(input: Uint8Array, { packBytes }: RealFiles): void {
  const index = parsePackIndex(input, { format: SHA1, packBytes });
  const id = new Uint8Array(SHA1.idBytes);
  const most = Math.min(index.objectCount, 100);
  for (let rank = 0; rank < most; rank++) {
    index.copyId(rank, id, 0);
    index.rankOf(id, 0);
    index.lowerBound(id.subarray(0, 3));
    index.crcOf(rank);
    orRefusal(() => {
      const offset = index.offsetOf(rank);
      index.entryEnd(offset);
      index.entryStart(index.entryAt(offset));
    });
  }
}

function reverseIndex(
  files: RealFiles,
  index: PackIndex,
  seal: (bytes: Uint8Array) => Uint8Array,
): FuzzedParser {
  const offsets = Uint32Array.from({ length: index.objectCount }, (_, rank) => index.offsetOf(rank));
  return {
    name: 'rev',
    corpus: [files.rev],
    seal,
    read: (input) => parseReverseIndex(input, SHA1, index.packChecksum, offsets),
  };
}

function readEveryBitmap(input: Uint8Array, index: PackIndex, { objectCount }: RealFiles): void {
  const objects = packBitmapObjects('fuzzed', index);
  const bitmaps = readBitmaps(input, objects, { format: SHA1, runtime: nodeRuntime });
  for (let position = 0; position < objectCount; position++) {
    if (bitmaps.hasBitmap(position)) bitmaps.orReachable(position, new Bitset(objectCount));
    bitmaps.nameHashAt(position);
  }
  for (const kind of [1, 2, 3, 4]) bitmaps.ofKind(kind);
}

function ewah({ bitmap }: RealFiles): FuzzedParser {
  return {
    name: 'ewah',
    corpus: [bitmap.subarray(32, 200), bitmap.subarray(32)],
    read(input) {
      const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
      if (endOfEwah(view, 0, input.length) < 0) return;
      toggleEwah(view, 0, new Bitset(75));
    },
  };
}

function readMultiPackIndex(input: Uint8Array): void {
  const index = parseMultiPackIndex(input, { format: SHA1, runtime: nodeRuntime });
  const id = new Uint8Array(SHA1.idBytes);
  for (let rank = 0; rank < Math.min(index.objectCount, 100); rank++) {
    index.copyId(rank, id, 0);
    index.rankOf(id, 0);
    orRefusal(() => [index.packOf(rank), index.offsetOf(rank)]);
  }
  index.packOrder();
}

function readGraph(graph: CommitGraph): void {
  const id = new Uint8Array(SHA1.idBytes);
  for (let position = 0; position < Math.min(graph.commitCount, 100); position++) {
    graph.copyId(position, id, 0);
    graph.find(id, 0);
    graph.copyTreeId(position, id, 0);
    graph.dateOf(position);
    graph.generationOf(position);
    for (let n = 0; n < graph.parentCountOf(position); n++) {
      if (graph.parentOf(position, n) >= graph.commitCount) throw new Error('a parent is outside the graph');
    }
  }
}

function looseObject(files: RealFiles): FuzzedParser {
  const lying = [
    'blob 536870911\0x',
    'blob 9007199254740991\0',
    'tree 99999999999999999\0',
    'blob  1\0x',
    'blob 3\0abcd',
  ];
  return {
    name: 'loose-object',
    corpus: [...files.loose, ...lying.map((text) => nodeRuntime.deflate(Buffer.from(text)))],
    async read(input) {
      const file = new Uint8Array(input.length + 1);
      file.set(input);
      orRefusal(() => readLooseHeader(input, input.length, nodeRuntime));
      orRefusal(() => readLooseObject(file, input.length, nodeRuntime));
      for await (const _ of streamLooseObject(chunked(input, [50]), nodeRuntime));
    },
  };
}
