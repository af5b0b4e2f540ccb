/**
 * Refs that are kept from clients.
 * Spec: git-config(1), `transfer.hideRefs`.
 *
 * @module
 */

/**
 * Whether `name` is hidden by `patterns`: a pattern hides the ref of that name and all below it; `!` before it
 * shows them again; the last pattern that matches decides. A `^` (match the name with its namespace) is
 * accepted and changes nothing here.
 */
export function isHiddenRef(name: string, patterns: readonly string[]): boolean {
  for (let i = patterns.length - 1; i >= 0; i--) {
    let pattern = patterns[i] as string;
    const shows = pattern.startsWith('!');
    if (shows) pattern = pattern.slice(1);
    if (pattern.startsWith('^')) pattern = pattern.slice(1);
    while (pattern.endsWith('/')) pattern = pattern.slice(0, -1);
    if (name === pattern || name.startsWith(`${pattern}/`)) return !shows;
  }
  return false;
}
