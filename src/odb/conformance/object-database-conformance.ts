/**
 * What every object database must do, as tests: run them over your own implementation.
 *
 * ```ts
 * import { test } from 'node:test';
 * testObjectDatabase({ test, format: SHA1, runtime: nodeRuntime, create: async () => openMine() });
 * ```
 *
 * @module
 */
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ObjectDatabase, ObjectTransaction, WritePackOptions } from '../object-database.ts';
import { expect, expectAbsent, expectPresent, expectRejected } from './expectations.ts';
import {
  absentId,
  changed,
  inPieces,
  type KnownObject,
  type PackedAs,
  packOf,
  Random,
  randomObjects,
  sealed,
  textObject,
} from './random-objects.ts';

export interface ObjectDatabaseConformance {
  /** Registers a test, as `node:test`'s does. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  readonly format: ObjectFormat;
  readonly runtime: Runtime;
  /** A new, empty database. The suite closes it. */
  readonly create: () => Promise<ObjectDatabase>;
}

const SEEDS = [1, 2];
const LIMITS: WritePackOptions = { limits: DEFAULT_LIMITS };

/** 0 keeps every pack, the largest unpacks every one that is small. */
const UNPACK_LIMITS = [0, 10, 1_000_000];

/** Register the suite. */
export function testObjectDatabase({ test, format, runtime, create }: ObjectDatabaseConformance): void {
  const withDatabase = (name: string, run: (database: ObjectDatabase, random: Random) => Promise<void>) => {
    for (const seed of SEEDS) {
      test(`${name} (seed ${seed})`, async () => {
        const database = await create();
        try {
          await run(database, new Random(seed));
        } finally {
          await database.close();
        }
      });
    }
  };
  const objectsOf = (random: Random, count: number) => randomObjects(random, count, format, runtime);
  const pack = (entries: readonly PackedAs[]) => packOf(entries, format, runtime);
  const whole = (objects: readonly KnownObject[]) => pack(objects.map((object) => ({ object })));

  /** Some whole objects, and deltas against them, against each other, against `bases`; and everything they hold. */
  const randomPack = (random: Random, bases: readonly KnownObject[] = []) => {
    const entries: PackedAs[] = objectsOf(random, 5 + random.next(20)).map((object) => ({ object }));
    for (let i = random.next(30); i > 0; i--) {
      const inside = entries[random.next(entries.length)]!.object;
      const outside = bases[random.next(Math.max(1, bases.length))];
      const base = outside !== undefined && random.next(2) === 0 ? outside : inside;
      const by = base === outside || random.next(2) === 0 ? 'id' : 'offset';
      entries.push({ object: changed(random, base, format, runtime), base, by });
    }
    const unique = new Map(entries.map((entry) => [entry.object.id, entry]));
    const kept = [...unique.values()];
    return { bytes: pack(kept), objects: kept.map(({ object }) => object) };
  };

  withDatabase('an empty database has nothing, and says so', async (database, random) => {
    await inReader(database, (reader) => {
      expectAbsent(reader, [{ id: absentId(random, format) }]);
      expect(reader.packs.length === 0, 'there are no packs');
      expect(reader.has(format.emptyTreeId), 'the empty tree is there without being stored');
      expect(reader.read(format.emptyTreeId)?.data.length === 0, 'the empty tree is empty');
    });
  });

  withDatabase('objects written one by one are read as they were written', async (database, random) => {
    const objects = objectsOf(random, 40);
    await inTransaction(database, async (transaction) => {
      for (const { kind, data, id } of objects) {
        const bytes = data.slice();
        expect((await transaction.writeObject(kind, bytes)) === id, 'writeObject() must give the id');
        bytes.fill(0); // the caller's again
      }
    });
    await inReader(database, (reader) => expectPresent(reader, objects));
  });

  for (const unpackLimit of UNPACK_LIMITS) {
    withDatabase(
      `packs are read as they were written, unpackLimit ${unpackLimit}`,
      async (database, random) => {
        const { bytes, objects } = randomPack(random);
        await inTransaction(database, async (transaction) => {
          const result = await transaction.writePack(inPieces(random, bytes), { ...LIMITS, unpackLimit });
          expect(result.objectCount === objects.length, 'objectCount must count the entries');
          if (unpackLimit === 0) expect(result.packId !== undefined, 'the pack must be kept');
        });
        await inReader(database, (reader) => expectPresent(reader, objects));
      },
    );

    withDatabase(`thin packs are completed, unpackLimit ${unpackLimit}`, async (database, random) => {
      const first = randomPack(random);
      await store(database, first.bytes, { ...LIMITS, unpackLimit });
      const thin = randomPack(random, first.objects);
      await store(database, thin.bytes, { ...LIMITS, unpackLimit });
      await inReader(database, (reader) => expectPresent(reader, [...first.objects, ...thin.objects]));
    });
  }

  withDatabase('a thin pack may rest on what the same transaction wrote before', async (database, random) => {
    const base = textObject('a base, long enough to be worth a delta', format, runtime);
    const object = changed(random, base, format, runtime);
    await inTransaction(database, async (transaction) => {
      await transaction.writePack(inPieces(random, whole([base])), { ...LIMITS, unpackLimit: 0 });
      await transaction.writePack(inPieces(random, pack([{ object, base, by: 'id' }])), LIMITS);
    });
    await inReader(database, (reader) => expectPresent(reader, [base, object]));
  });

  withDatabase('a pack without objects stores nothing', async (database, random) => {
    await inTransaction(database, async (transaction) => {
      const result = await transaction.writePack(inPieces(random, pack([])), LIMITS);
      expect(result.objectCount === 0 && result.packId === undefined, 'there is nothing to report');
    });
    await inReader(database, (reader) => expect(reader.packs.length === 0, 'there are no packs'));
  });

  withDatabase('nothing is visible outside before commit, everything after', async (database, random) => {
    const packed = randomPack(random);
    const single = textObject(`single ${random.next(1000)}`, format, runtime);
    const all = [...packed.objects, single];
    await using transaction = await database.begin();
    await transaction.writePack(inPieces(random, packed.bytes), { ...LIMITS, unpackLimit: 0 });
    await transaction.writeObject(single.kind, single.data);
    await inReader(transaction, (reader) => expectPresent(reader, all));
    await inReader(database, (reader) => expectAbsent(reader, all));
    await transaction.commit();
    await inReader(database, (reader) => expectPresent(reader, all));
  });

  withDatabase('what is not committed is discarded', async (database, random) => {
    const { bytes, objects } = randomPack(random);
    const transaction = await database.begin();
    await transaction.writePack(inPieces(random, bytes), { ...LIMITS, unpackLimit: random.next(2) * 1000 });
    await transaction[Symbol.asyncDispose]();
    await transaction[Symbol.asyncDispose]();
    await inReader(database, (reader) => expectAbsent(reader, objects));
    await expectRejected(transaction.writeObject('blob', new Uint8Array(0)), 'INVALID_ARGUMENT');
    await expectRejected(transaction.commit(), 'INVALID_ARGUMENT');
  });

  withDatabase('transactions beside each other do not see each other', async (database, random) => {
    const mine = randomPack(random);
    const common = textObject('in both', format, runtime);
    await using a = await database.begin();
    await using b = await database.begin();
    await a.writePack(inPieces(random, mine.bytes), { ...LIMITS, unpackLimit: 0 });
    await a.writeObject(common.kind, common.data);
    await b.writeObject(common.kind, common.data);
    await inReader(b, (reader) => expectAbsent(reader, mine.objects));
    await b.writePack(inPieces(random, mine.bytes), { ...LIMITS, unpackLimit: 0 });
    await Promise.all([a.commit(), b.commit()]);
    await inReader(database, (reader) => expectPresent(reader, [...mine.objects, common]));
  });

  withDatabase('a reader of before reads on after commits', async (database, random) => {
    const first = randomPack(random);
    await store(database, first.bytes, { ...LIMITS, unpackLimit: 0 });
    const reader = await database.openReader();
    await store(database, randomPack(random, first.objects).bytes, { ...LIMITS, unpackLimit: 0 });
    await expectPresent(reader, first.objects);
    reader.release();
    reader.release();
  });

  withDatabase('a damaged pack is refused and leaves nothing', async (database, random) => {
    const { bytes, objects } = randomPack(random);
    const damaged = bytes.slice();
    const at = random.next(bytes.length);
    damaged[at] = (damaged[at] as number) ^ (1 << random.next(8));
    const cut = bytes.slice(0, random.next(bytes.length));
    const lying = sealed(bytes.slice(0, bytes.length - format.idBytes - 1), format, runtime);
    for (const bad of [damaged, cut, lying]) {
      for (const unpackLimit of UNPACK_LIMITS) {
        const transaction = await database.begin();
        await expectRejected(
          transaction.writePack(inPieces(random, bad), { ...LIMITS, unpackLimit }),
          'PACK_CORRUPT',
          'OBJECT_MISSING',
          'LIMIT_EXCEEDED',
          'UNSUPPORTED',
        );
        await transaction[Symbol.asyncDispose]();
      }
    }
    await inReader(database, (reader) => expectAbsent(reader, objects));
  });

  withDatabase('a delta whose base is nowhere is OBJECT_MISSING', async (database, random) => {
    const base = textObject('never stored', format, runtime);
    const object = changed(random, base, format, runtime);
    await using transaction = await database.begin();
    const bytes = pack([{ object, base, by: 'id' }]);
    await expectRejected(transaction.writePack(inPieces(random, bytes), LIMITS), 'OBJECT_MISSING');
  });

  withDatabase('limits and signals end a transaction', async (database, random) => {
    const { bytes } = randomPack(random);
    await using transaction = await database.begin();
    const limits = { ...DEFAULT_LIMITS, maxPackBytes: bytes.length - 1 };
    await expectRejected(transaction.writePack(inPieces(random, bytes), { limits }), 'LIMIT_EXCEEDED');
    const signal = AbortSignal.abort();
    await expectRejected(transaction.writePack(inPieces(random, bytes), { ...LIMITS, signal }), 'ABORTED');
    await expectRejected(database.openReader({ signal }), 'ABORTED');
    await expectRejected(database.begin({ signal }), 'ABORTED');
  });

  withDatabase('idsWithPrefix() stops at the most that are asked for', async (database, random) => {
    const objects = Array.from({ length: 3000 }, (_, i) => textObject(`number ${i}`, format, runtime));
    await store(database, whole(objects), { ...LIMITS, unpackLimit: 0 });
    const prefix = objects[random.next(objects.length)]!.id.slice(0, 4);
    const expected = objects
      .map(({ id }) => id)
      .filter((id) => id.startsWith(prefix))
      .sort();
    await inReader(database, (reader) => {
      expect(String(reader.idsWithPrefix(prefix, 3000)) === String(expected), 'all of them, sorted');
      expect(reader.idsWithPrefix(prefix, 1).length === 1, 'no more than one');
    });
  });
}

type Openable = Pick<ObjectDatabase, 'openReader'>;
type Reader = Awaited<ReturnType<ObjectDatabase['openReader']>>;

async function inReader(source: Openable, use: (reader: Reader) => Promise<void> | void): Promise<void> {
  const reader = await source.openReader();
  try {
    await use(reader);
  } finally {
    reader.release();
  }
}

async function inTransaction(
  database: ObjectDatabase,
  use: (transaction: ObjectTransaction) => Promise<void>,
): Promise<void> {
  await using transaction = await database.begin();
  await use(transaction);
  await transaction.commit();
}

function store(database: ObjectDatabase, bytes: Uint8Array, options: WritePackOptions): Promise<void> {
  return inTransaction(database, async (transaction) => {
    await transaction.writePack(inPieces(new Random(bytes.length), bytes), options);
  });
}
