/**
 * Where a short ref name may be.
 * Spec: gitrevisions(7), "<refname>".
 *
 * @module
 */

/** The full names that `name` can stand for, in git's order: the first that exists is meant. */
export function refLookups(name: string): readonly string[] {
  return [
    name,
    `refs/${name}`,
    `refs/tags/${name}`,
    `refs/heads/${name}`,
    `refs/remotes/${name}`,
    `refs/remotes/${name}/HEAD`,
  ];
}
