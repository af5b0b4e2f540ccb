import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { generateRepository } from '../../../fixtures/generate-repository.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { bytesToHex, hexToBytes, SHA1 } from '../../../src/core/object-id.ts';
import type { ObjectReader } from '../../../src/odb/object-database.ts';
import type { ObjectSelection } from '../../../src/repository/object-selection.ts';
import { MadeDeltas } from '../../../src/repository/pack-writing/made-deltas.ts';
import type { PackWritingResult } from '../../../src/repository/pack-writing/write-pack.ts';
import { git, gitBytes } from '../../support/git.ts';
import { allIdsOf, idsOf, selectByGit, withStoredParts } from '../../support/object-selections.ts';
import { openStoredRepository } from '../../support/stored-repository.ts';
import { drain } from '../../support/streams.ts';
import { writeSelection } from '../../support/written-pack.ts';

const SCRATCH = mkdtempSync(join(tmpdir(), 'packwire-test-'));
after(() => rmSync(SCRATCH, { recursive: true, force: true }));

/** How the same objects lie in a repository. */
const LAYOUTS: Readonly<Record<string, (directory: string) => void>> = {
  'one pack': (directory) => git(directory, 'repack', '-adfq', '--depth=10'),
  'one pack with REF_DELTA': (directory) =>
    git(directory, '-c', 'repack.useDeltaBaseOffset=false', 'repack', '-adfq'),
  'all loose': (directory) => {
    const pack = git(directory, 'rev-list', '--objects', '--all');
    const input = gitBytes({ cwd: directory, input: pack }, 'pack-objects', '--stdout', '-q');
    removePacks(directory);
    git({ cwd: directory, input }, 'unpack-objects', '-q');
  },
  'three packs that overlap, and loose objects': (directory) => {
    const ids = git(directory, 'rev-list', '--objects', '--all', '--no-object-names').trimEnd().split('\n');
    const parts = [0, 1, 2, 3].map((part) => ids.filter((_, n) => n % 5 === part || n % 5 === 4 - part));
    const packs = parts.map((part) =>
      gitBytes(
        { cwd: directory, input: part.join('\n') },
        'pack-objects',
        '--stdout',
        '-q',
        '--delta-base-offset',
      ),
    );
    removePacks(directory);
    for (const input of packs.slice(1)) git({ cwd: directory, input }, 'index-pack', '--stdin');
    git({ cwd: directory, input: packs[0] as Buffer }, 'unpack-objects', '-q');
  },
};

for (const [layout, lay] of Object.entries(LAYOUTS)) {
  for (const packOrder of layout.startsWith('three') ? (['first', 'last'] as const) : (['first'] as const)) {
    test(`git reads whatever is selected from ${layout}, searched ${packOrder} to find`, async () => {
      const directory = join(SCRATCH, `${layout}-${packOrder}`);
      await generateRepository(directory, { objects: 260, seed: layout.length, fileBytes: 1500 });
      lay(directory);
      const reader = openStoredRepository(directory, { packOrder });
      const everything = selectByGit(directory, { wants: ['--all'] });
      const numbers = Array.from({ length: everything.count }, (_, n) => n);
      // What one search finds is used by the next, and changes nothing.
      const madeDeltas = new MadeDeltas(SHA1);

      await fc.assert(
        fc.asyncProperty(
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.double({ min: 0, max: 0.5, noNaN: true }),
          fc.nat(),
          fc.boolean(),
          fc.boolean(),
          fc.constantFrom('listed', 'as bits', 'partly as bits'),
          async (sentShare, heldShare, seed, thin, ofsDelta, form) => {
            const share = (n: number) => (Math.imul(n + 1, 2 * seed + 1) >>> 0) / 2 ** 32;
            const sent = numbers.filter((n) => share(n) <= sentShare);
            const held = numbers.filter((n) => share(n) > sentShare && share(n) <= sentShare + heldShare);
            const selection = subset(everything, sent, held);
            const given = inForm(reader, selection, form, share);
            assert.deepEqual(allIdsOf(reader, given), idsOf(selection));
            const { pack, result } = await write(reader, given, thin, ofsDelta);
            assert.equal(result.objects, sent.length);
            assert.equal(result.bytes, pack.length);
            for (let again = 0; again < 2; again++) {
              const known = await write(reader, given, thin, ofsDelta, madeDeltas);
              assert.deepEqual(known, { pack, result });
            }

            const receiver = join(
              SCRATCH,
              `receiver-${seed}-${sent.length}-${held.length}-${thin}-${ofsDelta}-${form}`,
            );
            git(SCRATCH, 'init', '-q', '--bare', receiver);
            if (thin && held.length > 0) {
              const input = idsOf(subset(everything, held, [])).join('\n');
              const theirs = gitBytes({ cwd: directory, input }, 'pack-objects', '--stdout', '-q');
              git({ cwd: receiver, input: theirs }, 'index-pack', '--stdin');
            }
            git({ cwd: receiver, input: pack }, 'index-pack', '--stdin', ...(thin ? ['--fix-thin'] : []));
            const arrived = new Set(
              git(receiver, 'cat-file', '--batch-all-objects', '--batch-check=%(objectname)').split('\n'),
            );
            for (const id of idsOf(selection)) assert.ok(arrived.has(id), id);
            rmSync(receiver, { recursive: true });
          },
        ),
        {
          numRuns: 12,
          examples: [
            [1, 0, 1, false, true, 'listed'],
            [1, 0, 1, false, true, 'as bits'],
            [1, 0, 1, false, false, 'as bits'],
            [0.5, 0.5, 1, true, true, 'as bits'],
          ],
        },
      );
    });
  }
}

/** The selection with the objects of packs as bits, taken from any pack that has them. */
function inForm(
  reader: ObjectReader,
  selection: ObjectSelection,
  form: string,
  share: (n: number) => number,
): ObjectSelection {
  if (form === 'listed') return selection;
  return withStoredParts(reader, selection, (packs, number) => {
    const chosen = packs[Math.floor(share(number + 1000) * packs.length)] as number;
    return form === 'as bits' || chosen % 2 === 0 ? chosen : undefined;
  });
}

async function write(
  reader: ObjectReader,
  selection: ObjectSelection,
  thin: boolean,
  ofsDelta: boolean,
  madeDeltas?: MadeDeltas,
): Promise<{ pack: Uint8Array; result: PackWritingResult }> {
  let result: PackWritingResult | undefined;
  const onResult = (written: PackWritingResult) => {
    result = written;
  };
  const options = { runtime: nodeRuntime, limits: DEFAULT_LIMITS, thin, ofsDelta, madeDeltas, onResult };
  const pack = await drain(writeSelection(reader, selection, options));
  assert.ok(result !== undefined);
  return { pack, result };
}

/** Some objects of a selection, with others that the receiver has, all of them preferred as bases. */
function subset(all: ObjectSelection, sent: readonly number[], held: readonly number[]): ObjectSelection {
  const idAt = (n: number) => bytesToHex(all.ids, n * 20, 20);
  const idsAt = (numbers: readonly number[]) => hexToBytes(numbers.map(idAt).join(''));
  const order = new Map(sent.map((n, number) => [idAt(n), number]));
  const theirs = new Set(held.map(idAt));
  return {
    format: SHA1,
    count: sent.length,
    ids: idsAt(sent),
    kinds: Uint8Array.from(sent, (n) => all.kinds[n] as number),
    nameHashes: Uint32Array.from(sent, (n) => all.nameHashes[n] as number),
    indexOf: (ids, at) => order.get(bytesToHex(ids, at, 20)) ?? -1,
    receiverHas: (ids, at) => theirs.has(bytesToHex(ids, at, 20)),
    preferredBases: idsAt(held),
    preferredBaseKinds: Uint8Array.from(held, (n) => all.kinds[n] as number),
    preferredBaseNameHashes: Uint32Array.from(held, (n) => all.nameHashes[n] as number),
  };
}

function removePacks(directory: string): void {
  const packs = join(directory, 'objects', 'pack');
  for (const name of readdirSync(packs)) rmSync(join(packs, name));
}
