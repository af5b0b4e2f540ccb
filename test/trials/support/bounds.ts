/**
 * What is taken for well, for trials.
 *
 * @module
 */
const MIB = 1024 * 1024;

export interface Bounds {
  /** Milliseconds for the slowest answer to a question of health. */
  readonly healthMs: number;
  /** Most that the server may have resident at any time. */
  readonly memoryBytes: number;
  /** How many more descriptors than before may be open in the quiet after: a probe's own connection, a timer. */
  readonly descriptors: number;
  /** How much more than before may be resident in the end. */
  readonly keptBytes: number;
  /** And how much more after the same once more. */
  readonly grownBytes: number;
  /** Milliseconds without a change after which a server counts as settled: longer than repositories are kept open. */
  readonly settledMs: number;
  /** Milliseconds of quiet after which all of that is looked at. */
  readonly quietMs: number;
  /** Milliseconds of rest after which a server has given back what it can: longer than `WarmRepositories` waits for it. */
  readonly restMs: number;
}

export const DEFAULT_BOUNDS: Bounds = {
  healthMs: 100,
  memoryBytes: 1024 * MIB,
  descriptors: 4,
  keptBytes: 128 * MIB,
  grownBytes: 32 * MIB,
  settledMs: 3_000,
  quietMs: 30_000,
  restMs: 20_000,
};
