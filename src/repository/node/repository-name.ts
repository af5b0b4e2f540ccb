/**
 * Names of repositories as clients give them: relative paths that stay where they are.
 *
 * @module
 */

/** NAME_MAX of the systems this runs on, less room for `.git` and for the names of temporary directories. */
const MAX_SEGMENT_BYTES = 200;
const MAX_NAME_BYTES = 1024;
const MAX_SEGMENTS = 32;
const GIT_SUFFIX = '.git';

/** Nothing a path must not hold, and nothing that would make a log or a terminal say something else. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const FORBIDDEN = /[\\\u0000-\u001f\u007f\u2028\u2029]|\p{Surrogate}/u;

/** On Windows: drives, streams, and endings that it drops. */
const FORBIDDEN_ON_WINDOWS = /[:*?"<>|]|[. ]$/;

/**
 * @returns the segments of `name`, or `undefined` when it is no name: empty or absolute, with an empty segment or
 * one that begins with a dot (`..`, `.git`, what is hidden), a backslash or control characters, or too long
 */
export function parseRepositoryName(
  name: string,
  isWindows = process.platform === 'win32',
): string[] | undefined {
  if (name === '' || FORBIDDEN.test(name) || Buffer.byteLength(name) > MAX_NAME_BYTES) return undefined;
  const segments = name.split('/');
  if (segments.length > MAX_SEGMENTS) return undefined;
  const arePlain = segments.every(
    (segment) =>
      segment !== '' &&
      !segment.startsWith('.') &&
      Buffer.byteLength(segment) <= MAX_SEGMENT_BYTES &&
      !(isWindows && FORBIDDEN_ON_WINDOWS.test(segment)),
  );
  return arePlain ? segments : undefined;
}

/** `team/app.git` and `team/app` for either: what was asked for comes first. */
export function spellings(name: string): readonly [string, string] {
  return name.endsWith(GIT_SUFFIX) ? [name, withoutSuffix(name)] : [name, `${name}${GIT_SUFFIX}`];
}

/** The name under which a new repository is made: always with `.git`. */
export function bareName(name: string): string {
  return `${withoutSuffix(name)}${GIT_SUFFIX}`;
}

/**
 * The one name of the repository that has its git directory at `path`: without `/.git`, and without one `.git`.
 *
 * @param path relative to the root, with `/`, no symbolic links in it
 * @returns `undefined` for the root itself
 */
export function nameOfPath(path: string): string | undefined {
  const name = withoutSuffix(
    path.endsWith(INSIDE_WORK_TREE) ? path.slice(0, -INSIDE_WORK_TREE.length) : path,
  );
  return name === '' ? undefined : name;
}

const INSIDE_WORK_TREE = `/${GIT_SUFFIX}`;

function withoutSuffix(name: string): string {
  return name.endsWith(GIT_SUFFIX) ? name.slice(0, -GIT_SUFFIX.length) : name;
}
