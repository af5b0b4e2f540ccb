import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { concatBytes } from '../../src/core/bytes.ts';
import { bytesToHex } from '../../src/core/object-id.ts';
import { BLOB, COMMIT } from '../../src/core/object-kind.ts';
import { createFilePackSink } from '../../src/pack/node/file-pack-sink.ts';
import { createThreadTaskPool } from '../../src/pack/node/thread-task-pool.ts';
import { SettledFamilies } from '../../src/pack/settled-families.ts';
import type { TaskPool } from '../../src/pack/task-pool.ts';
import { scratchDirectory } from '../support/git.ts';
import { ingest } from '../support/ingest.ts';
import {
  appendingDelta,
  blobEntry,
  blobId,
  ofsDeltaEntry,
  packOf,
  refDeltaEntry,
} from '../support/pack-builder.ts';
import { chunked } from '../support/streams.ts';

/** So many entries of whole blobs make families believed in. */
const ENOUGH = 1100;

test('families are settled up to the last whole blob, once enough blobs have come', () => {
  const families = new SettledFamilies();
  families.addWhole(0, BLOB);
  families.addWhole(1, COMMIT); // the newest objects stand mixed
  for (let entry = 2; entry < 500; entry++) families.addWhole(entry, BLOB);
  assert.equal(families.reached, 0);
  for (let entry = 500; entry < ENOUGH; entry++) families.addWhole(entry, BLOB);
  assert.deepEqual([families.start, families.reached], [2, ENOUGH - 1]);

  assert.equal(families.addDelta(ENOUGH, 5), false); // nobody was told yet
  families.settle(1000);
  assert.deepEqual(
    [1, 2, 999, 1000].map((entry) => families.has(entry)),
    [false, true, true, false],
  );
  assert.equal(families.addDelta(ENOUGH + 1, 999), true);
  assert.equal(families.addDelta(ENOUGH + 2, 1000), false);
  assert.deepEqual([families.lateDeltas, families.lateBases], [[ENOUGH + 1], [999]]);
});

test('after a commit, a delta by id or too many late ones no more are settled', () => {
  const ends: readonly ((families: SettledFamilies) => void)[] = [
    (families) => families.addWhole(ENOUGH, COMMIT),
    (families) => families.addRefDelta(),
    (families) => {
      for (let late = 0; late < 100; late++) families.addDelta(ENOUGH + late, 3);
    },
  ];
  for (const end of ends) {
    const families = new SettledFamilies();
    for (let entry = 0; entry < ENOUGH; entry++) families.addWhole(entry, BLOB);
    families.settle(1050);
    end(families);
    families.addWhole(2 * ENOUGH, BLOB);
    assert.equal(families.reached, 1050);
    assert.equal(families.has(1049), true);
  }
});

/** A pack in the making, and what its objects are. */
class PackText {
  readonly texts: string[] = [];
  readonly #entries: Uint8Array[] = [];
  readonly #offsets: number[] = [];
  #offset = 12;

  whole(text: string): number {
    return this.#add(text, blobEntry(text));
  }

  /** @param base an entry */
  delta(base: number, suffix: string): number {
    const from = this.texts[base] as string;
    const distance = this.#offset - (this.#offsets[base] as number);
    return this.#add(from + suffix, ofsDeltaEntry(distance, appendingDelta(from.length, suffix)));
  }

  /** @param base an entry, here or still to come */
  deltaById(base: string, suffix: string): number {
    return this.#add(base + suffix, refDeltaEntry(blobId(base), appendingDelta(base.length, suffix)));
  }

  get bytes(): Uint8Array {
    return packOf(this.#entries);
  }

  #add(text: string, entry: Uint8Array): number {
    this.#entries.push(entry);
    this.#offsets.push(this.#offset);
    this.#offset += entry.length;
    return this.texts.push(text) - 1;
  }
}

/** Small blobs, then families of large ones, worth a thread together. */
function families(pack: PackText): number[] {
  const made: number[] = [];
  for (let i = 0; i < ENOUGH; i++) made.push(pack.whole(`small ${i}`));
  for (let family = 0; family < 8; family++) {
    let base = pack.whole('x'.repeat(60_000) + family);
    made.push(base);
    for (let version = 0; version < 100; version++) {
      const delta = pack.delta(base, ` ${version}`);
      made.push(delta);
      if (version % 4 === 0) base = delta;
    }
  }
  made.push(pack.whole('the last family is over'));
  return made;
}

interface Indexed {
  readonly ids: readonly string[];
  /** Of the tasks that were given to threads. */
  readonly phases: readonly string[];
}

async function index(t: Pick<TestContext, 'after'>, bytes: Uint8Array, waitMs: number): Promise<Indexed> {
  const pool = createThreadTaskPool({ threads: 2 });
  const phases: string[] = [];
  const tasks: TaskPool = {
    threads: pool.threads,
    runtimeName: pool.runtimeName,
    warmUp: () => pool.warmUp(),
    run: (name, input) => {
      phases.push(input.job.phase);
      return pool.run(name, input);
    },
    close: () => pool.close(),
  };
  const sink = await createFilePackSink(join(await scratchDirectory(t), 'pack'));
  try {
    const input = async function* () {
      let sent = 0;
      for await (const chunk of chunked(bytes, [997])) {
        if (phases.length > 0 && sent++ === 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        yield chunk;
      }
    };
    const { table, isSelfContained } = await ingest(input(), { tasks, sink, findSelfContained: true });
    assert.equal(isSelfContained, true);
    const { ids, idBytes } = table.columns;
    return {
      ids: Array.from({ length: table.count }, (_, entry) => bytesToHex(ids, entry * idBytes, idBytes)),
      phases,
    };
  } finally {
    await sink.close();
    await pool.close();
  }
}

function idsOf({ texts }: PackText): string[] {
  return texts.map((text) => bytesToHex(blobId(text)));
}

test('families are resolved while the rest of the pack arrives', async (t) => {
  const pack = new PackText();
  families(pack);
  for (let i = 0; i < 2000; i++) pack.whole(`more ${i}`);
  const { ids, phases } = await index(t, pack.bytes, 150);
  assert.equal(phases[0], 'early');
  assert.deepEqual(ids, idsOf(pack));
});

test('deltas may come after their family, by place and by id, also of one another', async (t) => {
  const pack = new PackText();
  const made = families(pack);
  const deep = made.at(-3) as number;
  for (let i = 0; i < 100; i++) pack.whole(`between ${i}`);
  const late = pack.delta(deep, ' late');
  const later = pack.delta(late, ' later');
  pack.delta(later, ' again');
  pack.delta(made[7] as number, ' late, of a small one');
  pack.delta(made[ENOUGH] as number, ' late, of a root');
  pack.delta(deep, ' late, too');
  const text = pack.texts[made.at(-40) as number] as string;
  const byId = pack.deltaById(text, ' by id');
  pack.delta(byId, ' and by place');
  pack.deltaById(`small 3`, ' by id');
  pack.deltaById(`${pack.texts[later]}`, ' by the id of a late one');
  const { ids, phases } = await index(t, pack.bytes, 0);
  assert.equal(phases[0], 'early');
  assert.deepEqual(ids, idsOf(pack));
});

test('in whatever order a pack is, its ids are right', async (t) => {
  const step = fc.record({
    kind: fc.constantFrom('whole', 'delta', 'delta', 'by id'),
    base: fc.nat(),
    repeat: fc.integer({ min: 1, max: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.constantFrom(0, 40), async (steps, waitMs) => {
      const pack = new PackText();
      families(pack);
      for (const { kind, base, repeat } of steps) {
        for (let i = 0; i < repeat; i++) {
          const at = (base * (i + 1)) % pack.texts.length;
          if (kind === 'whole') pack.whole(`whole ${base} ${i}`);
          else if (kind === 'delta') pack.delta(at, ` ${i}`);
          else pack.deltaById(pack.texts[at] as string, ` by id ${i}`);
        }
      }
      const { ids } = await index(t, pack.bytes, waitMs);
      assert.deepEqual(ids, idsOf(pack));
    }),
    { numRuns: 6 },
  );
});

test('a delta that is wrong is found early, and ends it all', async (t) => {
  const pack = new PackText();
  families(pack);
  const good = pack.bytes;
  // Says that its base has one byte less than it has.
  const entries: Uint8Array[] = [blobEntry('y'.repeat(60_000))];
  let distance = (entries[0] as Uint8Array).length;
  for (let version = 0; version < 700; version++) {
    const size = version === 600 ? 59_999 : 60_000;
    const entry = ofsDeltaEntry(distance, appendingDelta(size, `${version}`));
    entries.push(entry);
    distance += entry.length;
  }
  const first = Array.from({ length: ENOUGH }, (_, i) => blobEntry(`small ${i}`));
  const rest = Array.from({ length: 3000 }, (_, i) => blobEntry(`rest ${i}`));
  await assert.rejects(index(t, packOf([...first, ...entries, ...rest]), 200), {
    code: 'PACK_CORRUPT',
    message: /it is for a base of 59999 bytes, got one of 60000/,
  });
  assert.equal((await index(t, concatBytes(good), 0)).ids.length, pack.texts.length);
});
