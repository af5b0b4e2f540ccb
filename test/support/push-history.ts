/**
 * A small repository of git's own making to push from, with ids that never change.
 *
 * @module
 */
import { join } from 'node:path';
import { git, gitBytes } from './git.ts';

export interface PushHistory {
  readonly directory: string;
  /** Three commits in a row; `main` is at the last. */
  readonly first: string;
  readonly second: string;
  readonly third: string;
  /** A commit on `first` beside `second`. */
  readonly side: string;
  /** An annotated tag of `third`. */
  readonly tag: string;
  /** A blob of `third` only. */
  readonly blob: string;
  /** The pack `git push` would send: revisions as for `git rev-list`, one a line, `^` for what is there. */
  pack(...revisions: readonly string[]): Uint8Array;
  /** The same without deltas against what is there. */
  wholePack(...revisions: readonly string[]): Uint8Array;
}

/** Make it in `parent`, which exists. */
export function makePushHistory(parent: string, objectFormat = 'sha1'): PushHistory {
  const directory = join(parent, 'history');
  git(parent, 'init', '-q', '-b', 'main', `--object-format=${objectFormat}`, directory);
  const content = Array.from({ length: 400 }, (_, i) => `line ${i} of a file that deltas well\n`).join('');
  const commit = (version: string): string => {
    const file = git({ cwd: directory, input: content + version }, 'hash-object', '-w', '--stdin').trim();
    git(directory, 'update-index', '--add', '--cacheinfo', `100644,${file},dir/file`);
    git(directory, 'commit', '-q', '-m', version);
    return git(directory, 'rev-parse', 'HEAD').trim();
  };
  const first = commit('first');
  const second = commit('second');
  const third = commit('third');
  git(directory, 'tag', '-a', '-m', 'a tag', 'v1');
  git(directory, 'checkout', '-q', '-f', '-b', 'side', first);
  const side = commit('side');
  git(directory, 'checkout', '-q', '-f', 'main');
  return {
    directory,
    first,
    second,
    third,
    side,
    tag: git(directory, 'rev-parse', 'v1').trim(),
    blob: git(directory, 'rev-parse', 'main:dir/file').trim(),
    pack: (...revisions) => packObjects(directory, revisions, '--thin', '--delta-base-offset'),
    wholePack: (...revisions) => packObjects(directory, revisions),
  };
}

function packObjects(cwd: string, revisions: readonly string[], ...options: readonly string[]): Uint8Array {
  const input = `${revisions.join('\n')}\n`;
  // No Buffer: its slice() would be a view, and changing that would change the pack.
  return new Uint8Array(gitBytes({ cwd, input }, 'pack-objects', '--revs', '--stdout', '-q', ...options));
}
