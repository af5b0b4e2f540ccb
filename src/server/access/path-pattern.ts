/**
 * Patterns of repository names and ref names.
 *
 * @module
 */

/**
 * Whether `path` matches `pattern`: segment by segment, `*` for anything within one, `**` as a segment for any
 * number of them, none included. Letters count as they are. Time grows with the product of the lengths at most,
 * whatever the pattern.
 */
export function matchesPath(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  return matchesWildcard(wanted, path.split('/'), (item) => item === '**', matchesSegment);
}

/** Whether one of `patterns` matches. */
export function matchesSomePath(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => matchesPath(pattern, path));
}

function matchesSegment(pattern: string, segment: string): boolean {
  return matchesWildcard(
    pattern,
    segment,
    (item) => item === '*',
    (a, b) => a === b,
  );
}

/** Going back to the last wildcard only is enough: what an earlier one could take, the last can take as well. */
function matchesWildcard(
  pattern: ArrayLike<string>,
  text: ArrayLike<string>,
  isWildcard: (item: string) => boolean,
  matches: (item: string, part: string) => boolean,
): boolean {
  let [at, from] = [0, 0];
  let [wildcard, taken] = [-1, 0];
  while (from < text.length) {
    const item = pattern[at];
    if (item !== undefined && isWildcard(item)) {
      wildcard = at++;
      taken = from;
    } else if (item !== undefined && matches(item, text[from] as string)) {
      at++;
      from++;
    } else if (wildcard >= 0) {
      at = wildcard + 1;
      from = ++taken;
    } else {
      return false;
    }
  }
  while (at < pattern.length && isWildcard(pattern[at] as string)) at++;
  return at === pattern.length;
}
