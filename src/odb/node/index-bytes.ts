/**
 * The bytes of an index file, once for each file however many directories it is found in: a pack that
 * leaves quarantine is the same file under another name, and its index is 28 bytes an object.
 *
 * @module
 */
import { type Stats, statSync } from 'node:fs';

/** The memory lives as long as some open pack looks at it. */
const known = new Map<string, WeakRef<ArrayBufferLike>>();
const forgotten = new FinalizationRegistry<string>((identity) => {
  if (known.get(identity)?.deref() === undefined) known.delete(identity);
});

/** The bytes of the index at `path`, if an open pack holds them already. Nobody may write to them. */
export function knownIndexBytes(path: string): Uint8Array | undefined {
  const seen = statSync(path, { throwIfNoEntry: false });
  const memory = seen === undefined ? undefined : known.get(identityOf(seen))?.deref();
  return memory === undefined ? undefined : new Uint8Array(memory);
}

/** Let others find `bytes`, which were read from `path` and are all of their memory. */
export function shareIndexBytes(path: string, bytes: Uint8Array): void {
  const seen = statSync(path, { throwIfNoEntry: false });
  if (seen?.size !== bytes.length || bytes.buffer.byteLength !== bytes.length) return; // replaced, or pooled
  const identity = identityOf(seen);
  known.set(identity, new WeakRef(bytes.buffer));
  forgotten.register(bytes.buffer, identity);
}

function identityOf({ dev, ino, size, mtimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs}`;
}
