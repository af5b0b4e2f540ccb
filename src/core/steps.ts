/**
 * Long work as a generator that yields after each step of less than a millisecond: whoever shares the thread rests there,
 * and whoever must not be interrupted does not.
 *
 * @module
 */
import { Pace } from './pace.ts';

export type Steps<Result> = Generator<undefined, Result, undefined>;

/** All of it now. */
export function inOneGo<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** @param breathe called after each step: lets others go on, where it is time */
export async function withBreaths<Result>(
  steps: Steps<Result>,
  breathe: () => Promise<void>,
): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await breathe();
  }
}

/** In turns with the other work of the thread. */
export async function inTurns<Result>(steps: Steps<Result>): Promise<Result> {
  const pace = new Pace(undefined);
  return await withBreaths(steps, async () => {
    if (pace.isDue()) await pace.rest();
  });
}
