/**
 * Asking V8 for a collection when it cannot know that one is due.
 *
 * V8 does not count the memory behind a SharedArrayBuffer: the tables of a pack of 850,000 objects, 35 MB that
 * nobody refers to any more, would stay until something else fills the heap. And V8 keeps the room of its young
 * generation, some 30 MB and more, as long as something is allocated now and then.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options?: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

let collect: Collect | undefined;

/** Collect now. Takes some ten milliseconds, so it is for the end of large work only. */
export function collectGarbage(): void {
  collect ??= findCollector();
  collect();
}

/**
 * Collect, and give free room back to the system. Node 20 gives that of the young generation back only when little was
 * allocated in the last seconds.
 */
export function releaseMemory(): void {
  collect ??= findCollector();
  collect({ type: 'major', flavor: 'last-resort' });
}

/** The engine shows `gc` only to contexts made after the flag is set. */
function findCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('typeof gc === "function" ? gc : undefined');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as Collect) : () => undefined;
}
