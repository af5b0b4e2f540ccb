import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { isGitError } from '../../src/core/errors.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { bytesToHex, hexToBytes, type ObjectFormat, objectFormatByName } from '../../src/core/object-id.ts';
import { codeOfKind, type ObjectKind } from '../../src/core/object-kind.ts';
import { multiPackBitmapObjects } from '../../src/pack/bitmap-multi-pack.ts';
import { type BitmapObjects, packBitmapObjects } from '../../src/pack/bitmap-objects.ts';
import { readBitmaps, type StoredBitmaps } from '../../src/pack/bitmap-reader.ts';
import { Bitset } from '../../src/pack/bitset.ts';
import { parsePackIndex } from '../../src/pack/idx-reader.ts';
import { parseMultiPackIndex } from '../../src/pack/multi-pack-index.ts';
import { packNameHash } from '../../src/repository/name-hash.ts';
import {
  type BitmappedRepository,
  fileIn,
  plainRepository,
  resealed,
} from '../support/bitmapped-repository.ts';
import { git } from '../support/git.ts';

const runtime = nodeRuntime;

interface Scene {
  readonly repository: BitmappedRepository;
  readonly format: ObjectFormat;
  readonly objects: BitmapObjects;
  readonly bytes: Uint8Array;
}

interface SceneOptions {
  readonly format?: 'sha1' | 'sha256';
  readonly count?: number;
  readonly config?: readonly string[];
}

const settings = (config: readonly string[]): string[] => config.flatMap((setting) => ['-c', setting]);

async function packScene(
  context: TestContext,
  { config = [], ...options }: SceneOptions = {},
): Promise<Scene> {
  const repository = await plainRepository(context, options);
  repository.git(...settings(config), 'repack', '-adbq');
  const format = objectFormatByName(options.format ?? 'sha1');
  const packBytes = repository.read('.pack').length;
  const index = parsePackIndex(repository.read('.idx'), { format, packBytes });
  const name = `pack-${bytesToHex(index.packChecksum)}`;
  return { repository, format, objects: packBitmapObjects(name, index), bytes: repository.read('.bitmap') };
}

/** Four packs, fast-import's own among them; another is preferred. */
async function multiPackScene(
  context: TestContext,
  { config = [], ...options }: SceneOptions = {},
): Promise<Scene> {
  const repository = await plainRepository(context, options);
  const { commits } = repository;
  const all = repository.git('for-each-ref', '--format=%(objectname)');
  // The second has what the first has, too.
  const revisions = [`${commits[9]}\n`, `${commits[24]}\n`, `${all}^${commits[24]}\n`];
  const names = revisions.map((input) => packOf(repository, input));
  repository.git('prune-packed', '-q');
  repository.git(
    ...settings(config),
    ...['multi-pack-index', 'write', '--bitmap', `--preferred-pack=pack-${names[1]}.pack`],
  );
  const format = objectFormatByName(options.format ?? 'sha1');
  const index = parseMultiPackIndex(
    new Uint8Array(readFileSync(fileIn(repository.path, 'multi-pack-index'))),
    {
      format,
      runtime,
    },
  );
  const order = index.packOrder();
  assert.ok(order !== undefined);
  return {
    repository,
    format,
    objects: multiPackBitmapObjects(index, order),
    bytes: repository.read('.bitmap'),
  };
}

function packOf(repository: BitmappedRepository, input: string): string {
  const path = `${repository.path}/objects/pack/pack`;
  return git({ cwd: repository.path, input }, 'pack-objects', '-q', '--revs', path).trim();
}

function open({ bytes, objects, format }: Scene): StoredBitmaps {
  return readBitmaps(bytes, objects, { format, runtime, onWarning: (warning) => assert.fail(warning) });
}

function idAt(bitmaps: StoredBitmaps, position: number, format: ObjectFormat): string {
  const id = new Uint8Array(format.idBytes);
  bitmaps.copyId(position, id, 0);
  return bytesToHex(id);
}

function idsOf(bitmaps: StoredBitmaps, bits: Bitset, format: ObjectFormat): string[] {
  const ids: string[] = [];
  for (let at = bits.next(0); at >= 0; at = bits.next(at + 1)) ids.push(idAt(bitmaps, at, format));
  return ids.sort();
}

/** Everything that can be asked, against what git says. */
function assertAgrees(scene: Scene): void {
  const { repository, format } = scene;
  const bitmaps = open(scene);
  const known = repository.git(
    'cat-file',
    '--batch-all-objects',
    '--batch-check=%(objectname) %(objecttype)',
  );
  const kinds = new Map(
    known
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, ObjectKind]),
  );
  assert.equal(bitmaps.objectCount, kinds.size);
  for (const [id, kind] of kinds) {
    const position = bitmaps.positionOf(hexToBytes(id), 0);
    assert.equal(idAt(bitmaps, position, format), id);
    for (const other of ['commit', 'tree', 'blob', 'tag'] as const) {
      assert.equal(bitmaps.ofKind(codeOfKind(other)).has(position), other === kind, `${id} is a ${other}`);
    }
  }
  assert.equal(bitmaps.positionOf(hexToBytes('a'.repeat(format.idHexDigits)), 0), -1);

  let checked = 0;
  for (const id of repository.commits) {
    const position = bitmaps.positionOf(hexToBytes(id), 0);
    const into = new Bitset(bitmaps.objectCount);
    const has = bitmaps.hasBitmap(position);
    assert.equal(bitmaps.orReachable(position, into), has);
    if (!has) assert.equal(into.count(), 0);
    if (!has || checked++ > 12) continue;
    const listed = repository.git('rev-list', '--objects', '--no-object-names', id).trim().split('\n');
    assert.deepEqual(idsOf(bitmaps, into, format), listed.sort());
  }
  assert.equal(checked > 0, true);
  assertPlaces(scene, bitmaps);
}

/** Positions ascend by pack, then by offset, and lie where the packs' own indexes say. */
function assertPlaces({ repository, format }: Scene, bitmaps: StoredBitmaps): void {
  const offsets = new Map<string, string>();
  for (const name of bitmaps.packNames) {
    const bytes = readFileSync(`${repository.path}/objects/pack/${name}.idx`);
    for (const line of git(
      { cwd: repository.path, input: bytes },
      'show-index',
      `--object-format=${format.name}`,
    )
      .trim()
      .split('\n')) {
      const [offset, id] = line.split(' ');
      offsets.set(`${name} ${id}`, String(offset));
    }
  }
  const before = { pack: 0, offset: 0 };
  const at = { pack: 0, offset: 0 };
  for (let position = 0; position < bitmaps.objectCount; position++) {
    bitmaps.locate(position, at);
    assert.equal(
      String(at.offset),
      offsets.get(`${bitmaps.packNames[at.pack]} ${idAt(bitmaps, position, format)}`),
    );
    assert.ok(at.pack > before.pack || (at.pack === before.pack && at.offset > before.offset));
    Object.assign(before, at);
  }
}

for (const [what, options] of [
  ['bitmaps of a pack', {}],
  ['bitmaps of a pack of SHA-256', { format: 'sha256' }],
  ['bitmaps with a lookup table', { config: ['pack.writeBitmapLookupTable=true'] }],
  ['bitmaps without name hashes', { config: ['pack.writeBitmapHashCache=false'] }],
  ['bitmaps of some commits, each the difference from another', { count: 400 }],
  ['the same with a lookup table', { count: 400, config: ['pack.writeBitmapLookupTable=true'] }],
] as const) {
  test(`${what} agree with git`, async (context) => {
    assertAgrees(await packScene(context, options));
  });
}

for (const [what, options] of [
  ['bitmaps of a multi-pack-index', {}],
  ['bitmaps of a multi-pack-index of SHA-256', { format: 'sha256' }],
  ['bitmaps of a multi-pack-index with a lookup table', { config: ['pack.writeBitmapLookupTable=true'] }],
] as const) {
  test(`${what} agree with git`, async (context) => {
    const scene = await multiPackScene(context, options);
    assertAgrees(scene);
    assert.equal(open(scene).packNames.length, 4);
  });
}

test('nameHashAt() is the hash of a path of the object', async (context) => {
  const scene = await packScene(context);
  const bitmaps = open(scene);
  const paths = new Map<string, string[]>();
  for (const line of scene.repository.git('rev-list', '--objects', '--all').trim().split('\n')) {
    const [id = '', path = ''] = line.split(' ');
    paths.set(id, [...(paths.get(id) ?? []), path]);
  }
  let hashed = 0;
  for (const [id, names] of paths) {
    const hash = bitmaps.nameHashAt(bitmaps.positionOf(hexToBytes(id), 0));
    if (hash !== 0) hashed++;
    assert.ok(
      names.some((name) => hashOf(name) === hash),
      `${id} ${names.join(' ')}`,
    );
  }
  assert.ok(hashed > 40);
});

test('nameHashAt() is 0 without a cache', async (context) => {
  const bitmaps = open(await packScene(context, { config: ['pack.writeBitmapHashCache=false'] }));
  for (let position = 0; position < bitmaps.objectCount; position++)
    assert.equal(bitmaps.nameHashAt(position), 0);
});

test('orReachable() adds to what is there', async (context) => {
  const scene = await packScene(context);
  const bitmaps = open(scene);
  const [oldest = '', , second = ''] = scene.repository.commits;
  const positionOf = (id: string): number => bitmaps.positionOf(hexToBytes(id), 0);
  const into = new Bitset(bitmaps.objectCount);
  into.add(positionOf(scene.repository.commits.at(-1) as string));
  assert.ok(bitmaps.orReachable(positionOf(oldest), into));
  assert.equal(into.count(), 1 + 4); // a commit, two trees and a blob
  assert.ok(bitmaps.orReachable(positionOf(second), into));
  assert.ok(bitmaps.orReachable(positionOf(oldest), into));
  assert.ok(into.has(positionOf(second)) && into.has(positionOf(oldest)));
});

for (const [what, change] of [
  ['a bit flipped anywhere', (bytes: Uint8Array, at: number) => flip(bytes, at)],
  ['the end cut off', (bytes: Uint8Array, at: number) => bytes.slice(0, at)],
] as const) {
  test(`readBitmaps() refuses bytes with ${what}`, async (context) => {
    const scene = await packScene(context);
    fc.assert(
      fc.property(fc.nat(8 * scene.bytes.length - 8), (at) => {
        const bytes = change(scene.bytes, what.startsWith('a bit') ? at : at >> 3);
        assert.throws(
          () => readBitmaps(bytes, scene.objects, { format: scene.format, runtime }),
          (error) => isGitError(error, 'PACK_CORRUPT', 'UNSUPPORTED'),
        );
      }),
    );
  });
}

test('readBitmaps() refuses another version, unknown flags and another pack', async (context) => {
  const scene = await packScene(context);
  const other = await packScene(context, { count: 41 });
  const patched = (at: number, value: number): Uint8Array => {
    const bytes = scene.bytes.slice();
    bytes[at] = value;
    return resealed(bytes, scene.format);
  };
  for (const [bytes, code] of [
    [patched(5, 2), 'UNSUPPORTED'],
    [patched(6, 1), 'UNSUPPORTED'],
    [patched(7, 4), 'UNSUPPORTED'],
    [patched(0, 0), 'PACK_CORRUPT'],
    [patched(20, (scene.bytes[20] as number) ^ 1), 'PACK_CORRUPT'],
    [other.bytes, 'PACK_CORRUPT'],
    [new Uint8Array(0), 'PACK_CORRUPT'],
  ] as const) {
    assert.throws(() => readBitmaps(bytes, scene.objects, { format: scene.format, runtime }), { code });
  }
});

for (const config of ['pack.writeBitmapLookupTable=false', 'pack.writeBitmapLookupTable=true']) {
  test(`bytes changed by one who fixes the checksum give answers or a GitError (${config})`, async (context) => {
    const scene = await packScene(context, { config: [config] });
    const { format, objects } = scene;
    fc.assert(
      fc.property(fc.array(fc.nat(8 * scene.bytes.length - 168), { minLength: 1, maxLength: 3 }), (flips) => {
        const bytes = resealed(flips.reduce(flip, scene.bytes), format);
        let bitmaps: StoredBitmaps;
        try {
          bitmaps = readBitmaps(bytes, objects, { format, runtime });
        } catch (error) {
          assert.ok(isGitError(error, 'PACK_CORRUPT', 'UNSUPPORTED'));
          return;
        }
        const into = new Bitset(bitmaps.objectCount);
        for (let position = 0; position < bitmaps.objectCount; position++) {
          if (!bitmaps.orReachable(position, into)) continue;
          bitmaps.nameHashAt(position);
          assert.equal(into.next(bitmaps.objectCount), -1);
        }
      }),
      { numRuns: 300 },
    );
  });
}

function hashOf(path: string): number {
  const bytes = new TextEncoder().encode(path);
  return packNameHash(bytes, 0, bytes.length, 0);
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
  return flipped;
}
