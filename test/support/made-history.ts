/**
 * Histories for tests: branches and merges as a list says, made by git.
 *
 * @module
 */
import { git } from './git.ts';

export interface HistoryCommit {
  /** Places of the parents in the list, each before this one. */
  readonly parents: readonly number[];
  /** Seconds after the first of 2005. */
  readonly time: number;
}

/**
 * Make a bare repository whose branches are the commits nobody descends from; each commit changes one file of its
 * own and one that others change as well.
 *
 * @returns ids of the commits, in the order of the list
 */
export function makeHistory(
  directory: string,
  commits: readonly HistoryCommit[],
  { format = 'sha1' }: { readonly format?: 'sha1' | 'sha256' } = {},
): string[] {
  git(directory, 'init', '--quiet', '--bare', '--initial-branch=main', `--object-format=${format}`, '.');
  const lines: string[] = [];
  for (const [i, { parents, time }] of commits.entries()) {
    const [first, ...others] = parents;
    const when = `<a@example.com> ${1104537600 + time} +0000`;
    lines.push(`commit refs/heads/c${i}`, `mark :${i + 1}`);
    lines.push(`author A ${when}`, `committer A ${when}`, 'data 1', String(i % 10));
    if (first !== undefined) lines.push(`from :${first + 1}`);
    for (const other of others) lines.push(`merge :${other + 1}`);
    const text = `content ${i}\n`;
    lines.push(`M 100644 inline d${i % 3}/f${i}`, `data ${text.length}`, text);
    lines.push('M 100644 inline shared', `data ${text.length}`, text);
  }
  const script = `${lines.join('\n')}\ndone\n`;
  git({ cwd: directory, input: script }, 'fast-import', '--quiet', '--done', '--date-format=raw');
  const names = commits.map((_, i) => `c${i}`);
  const ids = git(directory, 'rev-parse', ...names)
    .trim()
    .split('\n');
  const isParent = new Set(commits.flatMap(({ parents }) => parents));
  const deletions = commits.flatMap((_, i) => (isParent.has(i) ? [`delete refs/heads/c${i}\n`] : []));
  git({ cwd: directory, input: deletions.join('') }, 'update-ref', '--stdin');
  const tip = commits.findLastIndex((_, i) => !isParent.has(i));
  git(directory, 'symbolic-ref', 'HEAD', `refs/heads/c${tip}`);
  return ids;
}
