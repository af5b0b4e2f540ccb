/**
 * What is fuzzed: a reader of bytes that somebody else wrote, with what such bytes look like.
 *
 * @module
 */
import type { Random } from '../../fixtures/random.ts';
import { isGitError } from '../../src/core/errors.ts';

export interface FuzzedParser {
  /** Also the name of its folder in `fixtures/fuzz/`. */
  readonly name: string;
  /** Real ones, to be mutated. */
  readonly corpus: readonly Uint8Array[];
  /** Made by the grammar, mostly right. */
  readonly generate?: ((random: Random) => Uint8Array) | undefined;
  /** Words of the grammar, which a mutation writes over or between others; a character a byte. */
  readonly words?: readonly string[] | undefined;
  /** Put right what no mutation gets through: a checksum. Given half of the inputs. */
  readonly seal?: ((bytes: Uint8Array) => Uint8Array) | undefined;
  /** Read all there is to be read. Anything but a value and a GitError is a defect. */
  read(bytes: Uint8Array): unknown;
}

/** For the second and third thing that is read of one input: a refusal there does not keep from the next. */
export function orRefusal(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!isGitError(error)) throw error;
  }
}
