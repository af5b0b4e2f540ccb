import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Progress } from '../../../src/core/byte-stream.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { bytesToHex, SHA1, SHA256 } from '../../../src/core/object-id.ts';
import { portableRuntime } from '../../../src/core/portable/runtime.ts';
import type { ObjectReader } from '../../../src/odb/object-database.ts';
import { createMemoryFile } from '../../../src/pack/memory-file.ts';
import { formatPackHeader } from '../../../src/pack/pack-header.ts';
import type { ObjectSelection } from '../../../src/repository/object-selection.ts';
import { planPack } from '../../../src/repository/pack-writing/plan-pack.ts';
import type { PackWritingResult } from '../../../src/repository/pack-writing/write-pack.ts';
import { git, scratchDirectory } from '../../support/git.ts';
import { idsOf, selectByGit } from '../../support/object-selections.ts';
import { openStoredRepository, storedReader } from '../../support/stored-repository.ts';
import { drain } from '../../support/streams.ts';
import { type SelectionWritingOptions, writeSelection } from '../../support/written-pack.ts';

const TEMPLATES = mkdtempSync(join(tmpdir(), 'packwire-test-'));
after(() => rmSync(TEMPLATES, { recursive: true, force: true }));

describe('writePack() of a repository in one pack', () => {
  test('sends the stored pack as it is', async (context) => {
    const directory = await repositoryOfEdits(context);
    git(directory, 'repack', '-adfq');
    const reader = openStoredRepository(directory);
    const selection = selectByGit(directory, { wants: ['--all'] });
    const { pack, result } = await write(reader, selection);

    assert.equal(
      bytesToHex(pack.subarray(-20)),
      bytesToHex(reader.packs[0]?.index.packChecksum as Uint8Array),
    );
    const deltas = deltasIn(directory, pack, 'whole');
    assert.ok(deltas > 10);
    assert.deepEqual(result, {
      objects: selection.count,
      deltas,
      reusedObjects: selection.count,
      reusedDeltas: deltas,
      bytes: pack.length,
    });
  });

  test('sends REF_DELTA entries to a client that reads no OFS_DELTA, every one of them reused', async (context) => {
    const directory = await repositoryOfEdits(context);
    git(directory, 'repack', '-adfq');
    const selection = selectByGit(directory, { wants: ['--all'] });
    const { pack, result } = await write(openStoredRepository(directory), selection, { ofsDelta: false });
    assert.deepEqual(objectsIn(directory, pack, 'ref-deltas'), idsOf(selection));
    assert.equal(result.reusedObjects, selection.count);
    assert.ok(result.bytes > selection.count);
  });

  test('makes OFS_DELTA entries of stored REF_DELTA entries', async (context) => {
    const directory = await repositoryOfEdits(context);
    git(directory, '-c', 'repack.useDeltaBaseOffset=false', 'repack', '-adfq');
    const reader = openStoredRepository(directory);
    const selection = selectByGit(directory, { wants: ['--all'], keep: (_, n) => n > 0 });
    const { pack, result } = await write(reader, selection);
    assert.deepEqual(objectsIn(directory, pack, 'rebased'), idsOf(selection));
    assert.ok(result.reusedDeltas > 10);
    const stored = reader.packs[0]?.file.sizeBytes as number;
    assert.ok(pack.length < stored - 15 * result.reusedDeltas, `${pack.length} of ${stored} bytes`);
  });

  test('a fetch of new commits is thin: every stored delta against what the client has is reused', async (context) => {
    const directory = await repositoryOfEdits(context);
    git(directory, 'repack', '-adfq');
    const selection = selectByGit(directory, { wants: ['main'], haves: ['main~3'] });
    const { pack, result } = await write(openStoredRepository(directory), selection, { thin: true });
    const client = join(directory, 'client');
    git(directory, 'clone', '-q', '--bare', '--no-local', directory, client);
    git(client, 'update-ref', 'refs/heads/main', 'main~3');
    git(client, 'tag', '-d', 'v1');
    git(client, 'gc', '-q', '--prune=now');
    git({ cwd: client, input: pack }, 'index-pack', '--strict', '--stdin', '--fix-thin');
    for (const id of idsOf(selection)) git(client, 'cat-file', '-e', id);
    assert.ok(result.objects === selection.count);
  });

  test('sends the newest version, which is stored whole, as a delta of what the client has', async (context) => {
    const directory = await repositoryOfEdits(context);
    git(directory, 'repack', '-adfq');
    const reader = openStoredRepository(directory);
    const selection = selectByGit(directory, { wants: ['main'], haves: ['main~1'] });
    const thin = await write(reader, selection, { thin: true });
    const full = await write(reader, selection);
    assert.ok(thin.pack.length < full.pack.length / 4, `${thin.pack.length} and ${full.pack.length}`);
    assert.ok(thin.result.reusedObjects < full.result.reusedObjects);
    git({ cwd: directory, input: thin.pack }, 'index-pack', '--strict', '--stdin', '--fix-thin');
  });

  test('a pack that is not thin has every base, although the client is known to have them', async (context) => {
    const directory = await repositoryOfEdits(context);
    git(directory, 'repack', '-adfq');
    for (const [want, have] of [
      ['main', 'main~3'],
      ['main~5', 'main~9'],
    ] as const) {
      const selection = selectByGit(directory, { wants: [want], haves: [have] });
      const { pack } = await write(openStoredRepository(directory), selection);
      assert.deepEqual(objectsIn(directory, pack, `full-${have}`), idsOf(selection));
    }
  });

  test('searches new deltas for those whose base is not sent', async (context) => {
    const directory = await repositoryOfEdits(context);
    git(directory, 'repack', '-adfq');
    // git keeps the newest version whole: leaving it out takes the base from the others.
    const selection = selectByGit(directory, { wants: ['main~2'] });
    const seen: Progress[] = [];
    const { pack, result } = await write(openStoredRepository(directory), selection, {
      onProgress: (progress) => seen.push(progress),
    });
    assert.deepEqual(objectsIn(directory, pack, 'older'), idsOf(selection));
    const encoded = result.objects - result.reusedObjects;
    assert.ok(encoded > 0 && encoded < result.objects / 2, `${encoded} of ${result.objects} encoded`);
    assert.equal(seen.at(-1)?.title, 'Compressing objects');
    assert.deepEqual(seen.at(-1)?.done, seen.at(-1)?.total);
    assert.ok(seen.at(-1)?.finished);
  });
});

describe('writePack() of loose objects', () => {
  test('makes deltas about as good as those of git', async (context) => {
    const directory = await repositoryOfEdits(context);
    const selection = selectByGit(directory, { wants: ['--all'] });
    const { pack, result } = await write(openStoredRepository(directory), selection);
    assert.deepEqual(objectsIn(directory, pack, 'ours'), idsOf(selection));
    const byGit = git(
      directory,
      'pack-objects',
      '--all',
      '--revs',
      '--delta-base-offset',
      '-q',
      join(directory, 'by-git'),
    ).trim();
    const { size } = statSync(join(directory, `by-git-${byGit}.pack`));
    assert.ok(pack.length < size * 1.15, `ours ${pack.length}, git's ${size}`);
    assert.equal(result.reusedObjects, 0);
    assert.ok(result.deltas > 10);
  });

  test('takes preferred bases that the client has, in a thin pack only', async (context) => {
    const directory = await repositoryOfEdits(context);
    const selection = selectByGit(directory, { wants: ['main'], haves: ['main~1'] });
    const reader = openStoredRepository(directory);
    const thin = await write(reader, selection, { thin: true });
    const full = await write(reader, selection, { thin: false });
    assert.ok(thin.pack.length < full.pack.length / 2, `${thin.pack.length} and ${full.pack.length}`);
    assert.deepEqual(objectsIn(directory, full.pack, 'full'), idsOf(selection));
    git({ cwd: directory, input: thin.pack }, 'index-pack', '--strict', '--stdin', '--fix-thin');
  });

  test('upon packed ones finds whole stored objects of the same name as bases', async (context) => {
    const directory = await repositoryOfEdits(context);
    git(directory, 'repack', '-adfq');
    const packed = git(directory, 'rev-parse', 'main').trim();
    edit(directory, 99);
    const reader = openStoredRepository(directory);
    const selection = selectByGit(directory, { wants: ['--all'] });
    const { pack, result } = await write(reader, selection);
    assert.deepEqual(objectsIn(directory, pack, 'both'), idsOf(selection));
    assert.ok(result.reusedObjects < selection.count);
    assert.ok(result.deltas > result.reusedDeltas);
    const stored = reader.packs[0]?.file.sizeBytes as number;
    assert.ok(pack.length < stored + 1500, `${pack.length} for ${stored} stored, from ${packed}`);
  });

  test('streams what is too large to hold, and never makes a delta of it', async (context) => {
    const directory = await scratchDirectory(context);
    git(directory, 'init', '-q', '-b', 'main');
    const large = new Uint8Array(300_000).map((_, i) => (Math.imul(i, 2654435761) >>> 13) & 0x3f);
    writeFileSync(join(directory, 'large'), large);
    commit(directory, 'one');
    large[1000] = 99;
    writeFileSync(join(directory, 'large'), large);
    commit(directory, 'two');
    const selection = selectByGit(directory, { wants: ['main'], keep: ({ path }) => path === 'large' });
    for (const runtime of [nodeRuntime, portableRuntime]) {
      const { pack, result } = await write(openStoredRepository(directory), selection, {
        runtime,
        limits: { ...DEFAULT_LIMITS, maxDeltaObjectBytes: 100_000 },
      });
      assert.deepEqual(objectsIn(directory, pack, `streamed-by-${runtime.name}`), idsOf(selection));
      assert.equal(result.deltas, 0);
    }
  });

  test('sends a large object whole, and the next version as a delta too large to deflate at once', async (context) => {
    const directory = await scratchDirectory(context);
    git(directory, 'init', '-q', '-b', 'main');
    const large = new Uint8Array(4_000_000).map((_, i) => (Math.imul(i, 2654435761) >>> 13) & 0x3f);
    writeFileSync(join(directory, 'large'), large);
    commit(directory, 'one');
    large.set(randomBytes(300_000), 2_000_000);
    writeFileSync(join(directory, 'large'), large);
    commit(directory, 'two');
    const selection = selectByGit(directory, { wants: ['main'], keep: ({ path }) => path === 'large' });
    for (const runtime of [nodeRuntime, portableRuntime]) {
      const { pack, result } = await write(openStoredRepository(directory), selection, { runtime });
      assert.deepEqual(objectsIn(directory, pack, `large-by-${runtime.name}`), idsOf(selection));
      assert.equal(result.deltas, 1);
    }
  });
});

describe('planPack()', () => {
  test('holds nothing for the objects of a pack that is copied as a whole', async (context) => {
    const directory = await repositoryOfEdits(context);
    git(directory, 'repack', '-adfq');
    const packedCount = selectByGit(directory, { wants: ['--all'] }).count;
    const slotCounts: number[] = [];
    for (const isEdited of [false, true]) {
      if (isEdited) edit(directory, 99);
      const selection = selectByGit(directory, { wants: ['--all'] });
      const plan = await planPack(openStoredRepository(directory), selection, options());
      assert.equal(plan.count, selection.count);
      assert.equal(plan.slotCount, selection.count - packedCount);
      slotCounts.push(plan.slotCount);
    }
    assert.equal(slotCounts[0], 0);
    assert.ok((slotCounts[1] as number) > 0);
  });
});

describe('writePack()', () => {
  test('writes an empty pack as git does', async () => {
    const { pack } = await write(storedReader(SHA1, [], new Map()), nothing());
    assert.equal(
      bytesToHex(pack),
      `${bytesToHex(formatPackHeader(0))}029d08823bd8a8eab510ad6ac75c823cfd3ed31e`,
    );
  });

  test('writes SHA-256 packs', async (context) => {
    const directory = await repositoryOfEdits(context, 'sha256');
    const format = SHA256;
    git(directory, 'repack', '-dq');
    edit(directory, 99);
    const selection = selectByGit(directory, { format, wants: ['--all'] });
    for (const ofsDelta of [true, false]) {
      const { pack } = await write(openStoredRepository(directory, { format }), selection, { ofsDelta });
      assert.deepEqual(objectsIn(directory, pack, `ofs-${ofsDelta}`, 'sha256'), idsOf(selection));
    }
  });

  test('yields nothing when a selected object is not there', async () => {
    const selection = { ...nothing(), count: 1, ids: new Uint8Array(20).fill(7), kinds: new Uint8Array([3]) };
    await assert.rejects(writeSelection(storedReader(SHA1, [], new Map()), selection, options()).next(), {
      code: 'OBJECT_MISSING',
      detail: { id: '07'.repeat(20) },
    });
  });

  test('yields no trailer for a stored pack that has changed on the disk', async (context) => {
    const directory = await repositoryOfEdits(context);
    git(directory, 'repack', '-adfq');
    const reader = openStoredRepository(directory);
    const selection = selectByGit(directory, { wants: ['--all'] });
    const [stored] = reader.packs;
    assert.ok(stored !== undefined);
    const bytes = new Uint8Array(stored.file.sizeBytes);
    stored.file.readInto(0, bytes, 0, bytes.length);
    bytes[bytes.length >> 1]! ^= 1;
    const changed = storedReader(SHA1, [{ ...stored, file: createMemoryFile(bytes) }], new Map());
    let sentBytes = 0;
    await assert.rejects(
      async () => {
        for await (const chunk of writeSelection(changed, selection, options())) sentBytes += chunk.length;
      },
      { code: 'PACK_CORRUPT' },
    );
    assert.equal(sentBytes, bytes.length - 20);
  });

  test('yields no trailer when a stored delta cannot be resolved to be encoded anew', async (context) => {
    const directory = await repositoryOfEdits(context);
    git(directory, 'repack', '-adfq');
    const reader = openStoredRepository(directory);
    const selection = selectByGit(directory, { wants: ['main~2'] });
    const [stored] = reader.packs;
    assert.ok(stored !== undefined);
    const bytes = new Uint8Array(stored.file.sizeBytes);
    stored.file.readInto(0, bytes, 0, bytes.length);
    // The newest version of the file is everyone's base.
    const base = new Uint8Array(Buffer.from(git(directory, 'rev-parse', 'main:edited').trim(), 'hex'));
    const offset = stored.index.offsetOf(stored.index.rankOf(base, 0));
    bytes.fill(0xff, offset + 10, offset + 60);
    const changed = storedReader(SHA1, [{ ...stored, file: createMemoryFile(bytes) }], new Map());
    await assert.rejects(write(changed, selection), { code: 'PACK_CORRUPT' });
  });

  test('stops when its signal fires', async (context) => {
    const directory = await repositoryOfEdits(context);
    const selection = selectByGit(directory, { wants: ['--all'] });
    await assert.rejects(write(openStoredRepository(directory), selection, { signal: AbortSignal.abort() }), {
      code: 'ABORTED',
    });
  });
});

function options(overrides: Partial<SelectionWritingOptions> = {}): SelectionWritingOptions {
  return { runtime: nodeRuntime, limits: DEFAULT_LIMITS, thin: false, ofsDelta: true, ...overrides };
}

async function write(
  reader: ObjectReader,
  selection: ObjectSelection,
  overrides: Partial<SelectionWritingOptions> = {},
): Promise<{ pack: Uint8Array; result: PackWritingResult }> {
  const results: PackWritingResult[] = [];
  const pack = await drain(
    writeSelection(reader, selection, options({ ...overrides, onResult: (result) => results.push(result) })),
  );
  assert.equal(results.length, 1);
  return { pack, result: results[0] as PackWritingResult };
}

function nothing(): ObjectSelection {
  return {
    format: SHA1,
    count: 0,
    ids: new Uint8Array(0),
    kinds: new Uint8Array(0),
    nameHashes: new Uint32Array(1),
    indexOf: () => -1,
    receiverHas: () => false,
    preferredBases: new Uint8Array(0),
    preferredBaseKinds: new Uint8Array(0),
    preferredBaseNameHashes: new Uint32Array(0),
  };
}

/** What git finds in the pack, in an empty repository: it accepts the pack only when every base is in it. */
function objectsIn(directory: string, pack: Uint8Array, name: string, format = 'sha1'): string[] {
  const empty = join(directory, `empty-${name}`);
  git(directory, 'init', '-q', '--bare', `--object-format=${format}`, empty);
  git({ cwd: empty, input: pack }, 'index-pack', '--stdin');
  return git(empty, 'cat-file', '--batch-all-objects', '--batch-check=%(objectname)')
    .trimEnd()
    .split('\n')
    .sort();
}

function deltasIn(directory: string, pack: Uint8Array, name: string): number {
  objectsIn(directory, pack, name);
  const empty = join(directory, `empty-${name}`);
  const bases = git(empty, 'cat-file', '--batch-all-objects', '--batch-check=%(deltabase)');
  return bases
    .trimEnd()
    .split('\n')
    .filter((base) => !/^0+$/.test(base)).length;
}

/** Twelve commits that edit a file and one of many in a directory; all loose. Each test gets a copy. */
async function repositoryOfEdits(
  context: Parameters<typeof scratchDirectory>[0],
  format: 'sha1' | 'sha256' = 'sha1',
): Promise<string> {
  const template = join(TEMPLATES, format);
  if (!existsSync(template)) makeTemplate(template, format);
  const directory = await scratchDirectory(context);
  cpSync(template, directory, { recursive: true });
  return directory;
}

function makeTemplate(directory: string, format: string): void {
  mkdirSync(join(directory, 'many'), { recursive: true });
  git(directory, 'init', '-q', '-b', 'main', `--object-format=${format}`);
  for (let i = 0; i < 40; i++) writeFileSync(join(directory, 'many', `file${i}`), lines(i, 20));
  for (let i = 0; i < 12; i++) edit(directory, i);
  git(directory, 'tag', '-a', '-m', 'one', 'v1', 'main~4');
}

function edit(directory: string, number: number): void {
  writeFileSync(join(directory, 'edited'), `${lines(1000, 300)}edit ${number}\n${lines(2000, 300 + number)}`);
  writeFileSync(join(directory, 'many', `file${number % 40}`), `${lines(number, 21)}`);
  commit(directory, `edit ${number}`);
}

function commit(directory: string, message: string): void {
  git(directory, 'add', '.');
  git(directory, 'commit', '-q', '-m', message);
}

/** Lines that differ from seed to seed and do not deflate to nothing. */
function lines(seed: number, count: number): string {
  let text = '';
  for (let i = 0; i < count; i++)
    text += `${Math.imul(seed * 1000 + i + 1, 2654435761).toString(36)} line ${i}\n`;
  return text;
}
