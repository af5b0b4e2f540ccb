/**
 * The choice of an inflater on Node: docs/decisions/0002 and 0012.
 *
 * @module
 */
import { GitError } from '../errors.ts';
import { createWasmInflater } from '../inflate/wasm-inflater.ts';
import { createPakoInflater } from '../portable/inflater.ts';
import type { Inflater } from '../runtime.ts';
import { createNativeInflater } from './native-inflater.ts';

/** In the order they are tried; `undefined` where one is not to be had. */
const inflaters: ReadonlyMap<string, () => Inflater | undefined> = new Map([
  ['native', createNativeInflater],
  ['wasm', createWasmInflater],
  ['pako', createPakoInflater],
]);

/** One of the names above: for tests, and for who mistrusts the choice. */
const FORCED = process.env.PACKWIRE_INFLATER;

/**
 * The fastest inflater this Node offers, or the one that the environment variable `PACKWIRE_INFLATER` names.
 *
 * @throws {GitError} UNSUPPORTED when there is none of that name
 */
export function createNodeInflater(): Inflater {
  if (FORCED) return createForcedInflater(FORCED);
  return createNativeInflater() ?? createWasmInflater() ?? createPakoInflater();
}

function createForcedInflater(name: string): Inflater {
  const inflater = inflaters.get(name)?.();
  if (inflater !== undefined) return inflater;
  throw new GitError(
    'UNSUPPORTED',
    `Cannot inflate: PACKWIRE_INFLATER may be one of ${[...inflaters.keys()].join(', ')} that runs here, got ${name}`,
  );
}
