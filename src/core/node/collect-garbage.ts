/**
 * Asking V8 for a collection when it cannot know that one is due.
 *
 * V8 does not count the memory behind a SharedArrayBuffer: the tables of a pack of 850,000 objects, 35 MB that
 * nobody refers to any more, would stay until something else fills the heap.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Collect now. Takes some ten milliseconds, so it is for the end of large work only. */
export function collectGarbage(): void {
  collect ??= findCollector();
  collect();
}

/** The engine shows `gc` only to contexts made after the flag is set. */
function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('typeof gc === "function" ? gc : undefined');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as () => void) : () => undefined;
}
