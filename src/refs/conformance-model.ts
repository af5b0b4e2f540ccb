/**
 * The law behind the examples: whatever the batches, a ref database and a plain map agree.
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';
import { type ConformanceTools, sampleId } from './conformance-tools.ts';
import type { RefUpdate } from './ref-database.ts';
import { compareRefNames } from './ref-name.ts';

const NAMES = [
  'HEAD',
  'refs/heads/main',
  'refs/heads/a',
  'refs/heads/a/b',
  'refs/heads/a/b/c',
  'refs/heads/a-b',
  'refs/heads/bad..name',
  'refs/heads/ü',
  'refs/tags/v1',
  'refs/tags/v1/x',
  'refs/notes/commits',
];
const IDS = 4;
const BATCHES = 60;
const MAX_BATCH = 6;

interface Batch {
  readonly atomic: boolean;
  readonly updates: readonly RefUpdate[];
}

/** Apply random batches to a new database and to a map; compare every outcome and every listing. */
export async function checkAgainstModel({ open, equal, seed }: ConformanceTools): Promise<void> {
  const refs = await open();
  const ids = Array.from({ length: IDS }, (_, n) => sampleId(refs, n));
  const random = randomNumbers(seed);
  let model = new Map<string, ObjectId>();
  for (let turn = 0; turn < BATCHES; turn++) {
    const batch = randomBatch(random, ids, model);
    const message = `seed ${seed}, batch ${turn}: ${JSON.stringify(batch)} on ${JSON.stringify([...model])}`;
    const expected = applyToModel(model, batch);
    const outcomes = await refs.update(batch.updates, { atomic: batch.atomic });
    equal(
      outcomes.map(({ ok }) => ok),
      expected.succeeded,
      message,
    );
    model = expected.model;
    const listed = [...model].sort(([a], [b]) => compareRefNames(a, b)).map(([name, id]) => ({ name, id }));
    equal(await refs.list(), listed, message);
  }
  await refs.close();
}

function randomBatch(
  random: () => number,
  ids: readonly ObjectId[],
  model: ReadonlyMap<string, ObjectId>,
): Batch {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const updates = Array.from({ length: 1 + Math.floor(random() * MAX_BATCH) }, (): RefUpdate => {
    const name = pick(NAMES);
    const current = model.get(target(name));
    return {
      name,
      newId: random() < 0.35 ? undefined : pick(ids),
      expected: pick<RefUpdate['expected']>([current, current, current, 'any', undefined, pick(ids)]),
    };
  });
  return { atomic: random() < 0.4, updates };
}

/** HEAD points at main all the while. */
function target(name: string): string {
  return name === 'HEAD' ? 'refs/heads/main' : name;
}

function applyToModel(before: ReadonlyMap<string, ObjectId>, { atomic, updates }: Batch) {
  const model = new Map(before);
  const succeeded: boolean[] = Array(updates.length).fill(false);
  const phases = atomic ? [() => true] : [isDeletion, (update: RefUpdate) => !isDeletion(update)];
  for (const isOfPhase of phases) {
    const phase = updates.filter(isOfPhase);
    const possible = updates.map((update) => isOfPhase(update) && isPossible(update, phase, model));
    updates.forEach((update, index) => {
      if (!possible[index]) return;
      succeeded[index] = true;
      if (update.newId === undefined) model.delete(target(update.name));
      else model.set(target(update.name), update.newId);
    });
  }
  const failed = atomic && succeeded.includes(false);
  return failed ? { model: new Map(before), succeeded: succeeded.fill(false) } : { model, succeeded };
}

function isDeletion({ newId }: RefUpdate): boolean {
  return newId === undefined;
}

function isPossible(
  update: RefUpdate,
  phase: readonly RefUpdate[],
  model: ReadonlyMap<string, ObjectId>,
): boolean {
  const name = target(update.name);
  if (name.includes('..')) return false;
  const others = phase.filter((other) => other !== update).map((other) => target(other.name));
  if (others.includes(name)) return false;
  const current = model.get(name);
  if (update.expected !== 'any' && update.expected !== current) return false;
  if (current !== undefined) return true;
  return !others.some((other) => collide(other, name)) && !isInTheWay(update, name, model);
}

function isInTheWay({ newId }: RefUpdate, name: string, model: ReadonlyMap<string, ObjectId>): boolean {
  return newId !== undefined && [...model.keys()].some((other) => collide(other, name));
}

function collide(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/** Mulberry32: numbers from 0 to 1, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
