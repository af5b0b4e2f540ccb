/**
 * Long work as a generator that yields after each step of less than a millisecond: whoever shares the thread rests there,
 * and whoever must not be interrupted does not.
 *
 * @module
 */
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
