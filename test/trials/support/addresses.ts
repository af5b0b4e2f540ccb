/**
 * Where clients come from. All of 127.0.0.0/8 is this machine, and a server cannot know that they are one.
 *
 * @module
 */

/** Another one for each `n` below 50,000. None of them is 127.0.0.1. */
export function addressOf(n: number): string {
  return `127.1.${Math.floor(n / 250)}.${1 + (n % 250)}`;
}
