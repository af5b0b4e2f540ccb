/**
 * Whether a conditional include applies.
 * Spec: git-config(1), "Conditional includes".
 *
 * @module
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { decodeLatin1, encodeText } from '../../../core/bytes.ts';
import { GitError } from '../../../core/errors.ts';
import { matchesGlob } from '../../sparse-patterns.ts';
import { expandHome } from './config-path.ts';

export interface IncludeContext {
  readonly gitDirectory: string;
  readonly home: string | undefined;
  /** Every URL of a remote that any file names; asked for only when a condition speaks of them. */
  remoteUrls(): Promise<readonly string[]>;
  /** Told of a file whose content has decided. */
  onRead(path: string): void;
}

/**
 * @param condition as it stands in `includeIf "<condition>"`; one git does not know is false
 * @param file the one that says so; `undefined` when it is not a file
 * @throws {GitError} REPOSITORY_INVALID for a relative condition that is not in a file
 */
export async function isIncluded(
  condition: string,
  file: string | undefined,
  context: IncludeContext,
): Promise<boolean> {
  const [, keyword, rest] =
    /^(gitdir|gitdir\/i|onbranch|hasconfig:remote\.\*\.url):(.*)$/s.exec(condition) ?? [];
  if (keyword === undefined || rest === undefined) return false;
  if (keyword === 'onbranch') return isOnBranch(rest, context);
  if (keyword.startsWith('gitdir')) return isInDirectory(rest, keyword === 'gitdir/i', file, context);
  return (await context.remoteUrls()).some((url) => matchesGlob(asBytes(rest), asBytes(url)));
}

function isOnBranch(glob: string, context: IncludeContext): boolean {
  const branch = currentBranch(context);
  return branch !== undefined && matchesGlob(asBytes(withContents(glob)), asBytes(branch));
}

const MAX_SYMBOLIC_DEPTH = 5;

/** The branch HEAD leads to, without `refs/heads/`; it need not exist. */
function currentBranch({ gitDirectory, onRead }: IncludeContext): string | undefined {
  let name = 'HEAD';
  for (let depth = 0; depth < MAX_SYMBOLIC_DEPTH; depth++) {
    const path = join(gitDirectory, name);
    onRead(path);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const target = /^ref:\s*(\S+)/.exec(text)?.[1];
    if (target === undefined || !target.startsWith('refs/') || target.includes('..')) break;
    name = target;
  }
  return name.startsWith('refs/heads/') ? name.slice('refs/heads/'.length) : undefined;
}

function isInDirectory(
  condition: string,
  ignoresCase: boolean,
  file: string | undefined,
  { gitDirectory, home }: IncludeContext,
): boolean {
  const realHome = home !== undefined && existsSync(home) ? realpathSync(home) : home;
  let glob = expandHome(condition, realHome) ?? condition;
  let prefix = ''; // taken literally
  if (glob.startsWith('./')) {
    if (file === undefined) throw relativeCondition();
    prefix = dirname(realpathSync(file));
    glob = glob.slice(1);
    if (prefix.endsWith('/')) glob = glob.slice(1);
  } else if (!isAbsolute(glob)) {
    glob = `**/${glob}`;
  }
  const fold = (text: string): string => (ignoresCase ? text.toLowerCase() : text);
  return [realpathSync(gitDirectory), resolve(gitDirectory)].some((path) => {
    if (!fold(path).startsWith(fold(prefix))) return false;
    return matchesGlob(asBytes(fold(withContents(glob))), asBytes(fold(path.slice(prefix.length))));
  });
}

/** A directory stands for all in it. */
function withContents(glob: string): string {
  return glob.endsWith('/') ? `${glob}**` : glob;
}

/** A character a byte, as globs are matched. */
function asBytes(text: string): string {
  return decodeLatin1(encodeText(text));
}

function relativeCondition(): GitError {
  return new GitError(
    'REPOSITORY_INVALID',
    'Cannot read config: relative config include conditionals must come from files',
  );
}
