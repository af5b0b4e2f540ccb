/**
 * One thing to measure.
 *
 * @module
 */
import { inventText } from '../../fixtures/file-content.ts';
import { Random } from '../../fixtures/random.ts';

export interface Case {
  /** What it is a part of; cases of one group are to be compared with each other. */
  readonly group: string;
  readonly name: string;
  /** How many items one call of {@link run} handles: enough to be long beside the clock's own cost. */
  readonly items: number;
  /** Content bytes one call handles; 0 where a throughput says nothing. */
  readonly bytes: number;
  readonly run: () => unknown;
}

/** Text like source code, the same every time. */
export function sampleText(sizeBytes: number, seed = 1): Uint8Array {
  return new Uint8Array(Buffer.from(inventText(new Random(seed), sizeBytes), 'latin1')).slice(0, sizeBytes);
}

/** Bytes that look random, the same every time. */
export function sampleNoise(sizeBytes: number, seed = 1): Uint8Array {
  const random = new Random(seed);
  return new Uint8Array(sizeBytes).map(() => random.below(256));
}
