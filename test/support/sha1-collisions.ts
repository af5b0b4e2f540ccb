/**
 * The published SHA-1 collisions of `test/fixtures/sha1-collisions`.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexToBytes } from '../../src/core/object-id.ts';

const DIRECTORY = join(import.meta.dirname, '../fixtures/sha1-collisions');

export interface CollidingMessage {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Every message: pairs of names that end with 1 and 2. */
export function collidingMessages(): CollidingMessage[] {
  return readdirSync(DIRECTORY)
    .filter((name) => name.endsWith('.hex'))
    .sort()
    .map((name) => ({
      name: name.replace('.hex', ''),
      bytes: hexToBytes(readFileSync(join(DIRECTORY, name), 'utf8').replaceAll('\n', '')),
    }));
}
