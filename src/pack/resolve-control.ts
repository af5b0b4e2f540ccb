/**
 * The counters that all resolvers of a pack share with whoever scans it, in whatever threads they are.
 *
 * They say what is taken and what is offered: roots are taken by raising a counter, so that each belongs to one
 * resolver. Who waits for more to be offered sleeps until it is told news.
 *
 * @module
 */
import { sharedMemory } from './growing-memory.ts';
import { NONE } from './object-table.ts';

const NEXT_RUN = 0;
const RESOLVED = 1;
const STOP = 2;
const NEXT_HEAVY = 3;
const NEXT_FAMILY = 4;
const FAMILIES_END = 5;
const IS_SCANNED = 6;
const NEWS = 7;
const MEMBERS = 8;

/** Counters for one pack: shared memory, to be handed to threads as it is. */
export function createResolveControl(): Int32Array {
  return new Int32Array(sharedMemory(MEMBERS * 4));
}

/** Let all resolvers return soon: one has failed, or nobody wants the pack any more. */
export function stopResolving(control: Int32Array): void {
  Atomics.store(control, STOP, 1);
}

export function isStopped(control: Int32Array): boolean {
  return Atomics.load(control, STOP) !== 0;
}

/** So many more deltas are resolved. */
export function addResolved(control: Int32Array, count: number): void {
  Atomics.add(control, RESOLVED, count);
}

/** Deltas resolved so far, by all. */
export function resolvedCount(control: Int32Array): number {
  return Atomics.load(control, RESOLVED);
}

/** @returns how many heavy roots were taken before this one */
export function takeHeavyRoot(control: Int32Array): number {
  return Atomics.add(control, NEXT_HEAVY, 1);
}

/** @returns how many runs of entries were taken before this one */
export function takeRun(control: Int32Array): number {
  return Atomics.add(control, NEXT_RUN, 1);
}

/** Let resolvers take the families before the entry `end`. @param start of the first of them, always the same */
export function offerFamilies(control: Int32Array, start: number, end: number): void {
  if (familiesEnd(control) === 0) Atomics.store(control, NEXT_FAMILY, start);
  Atomics.store(control, FAMILIES_END, end);
  tellNews(control);
}

/** No more families are offered: those who wait for some need not. */
export function endFamilies(control: Int32Array): void {
  Atomics.store(control, IS_SCANNED, 1);
  tellNews(control);
}

/** Where the families end that are offered; 0 when there are none. */
export function familiesEnd(control: Int32Array): number {
  return Atomics.load(control, FAMILIES_END);
}

/**
 * Take up to `most` entries of families.
 *
 * @param end {@link familiesEnd} a moment ago: what was offered since is not looked at
 * @returns the first of them, or {@link NONE} when all are taken
 */
export function takeFamilies(control: Int32Array, end: number, most: number): number {
  for (;;) {
    const from = Atomics.load(control, NEXT_FAMILY);
    if (from >= end) return NONE;
    if (Atomics.compareExchange(control, NEXT_FAMILY, from, Math.min(end, from + most)) === from) return from;
  }
}

/** Whether families may still be offered. */
export function mayOfferMore(control: Int32Array): boolean {
  return Atomics.load(control, IS_SCANNED) === 0;
}

/** To be read before what is looked for, then given to {@link waitForNews}: nothing that comes between is missed. */
export function lastNews(control: Int32Array): number {
  return Atomics.load(control, NEWS);
}

/** Sleep until families are offered or end. @returns whether there was any news since `last` */
export function waitForNews(control: Int32Array, last: number, timeoutMs: number): boolean {
  return Atomics.wait(control, NEWS, last, timeoutMs) !== 'timed-out';
}

function tellNews(control: Int32Array): void {
  Atomics.add(control, NEWS, 1);
  Atomics.notify(control, NEWS);
}
