/**
 * Text for a line of a log, whatever strangers have put into it.
 *
 * @module
 */

/** What ends a line, moves a cursor, or shows text in another order than it has. */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu;
const MAX_CHARACTERS = 1_000;

/** `text` on one line, without anything that a terminal or a reader of logs would act on, and no longer than it need be. */
export function logText(text: string): string {
  const line = text.slice(0, MAX_CHARACTERS).replace(ACTIVE, '?');
  return text.length > MAX_CHARACTERS ? `${line}…` : line;
}
