/**
 * Repositories with many refs, the same ones every time.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';

/** One commit for so many refs, and one annotated tag among so many. */
const REFS_A_COMMIT = 5;
const TAG_EVERY = 4;

/**
 * A bare repository at `path`: branches and tags (a third of those annotated), all packed; then the last `looseCount`
 * branches are written again as files of their own.
 */
export function makeRefsRepository(path: string, refCount: number, looseCount: number): void {
  git(['init', '-q', '--bare', '--initial-branch=main', path]);
  git(['-C', path, 'fast-import', '--quiet'], history(refCount));
  git(['-C', path, 'repack', '-adq']);
  git(['-C', path, 'pack-refs', '--all', '--prune']);
  const updates: string[] = [];
  for (let i = 0; i < looseCount; i++)
    updates.push(`update refs/heads/${branchName(i * 2)} refs/heads/main\n`);
  git(['-C', path, 'update-ref', '--stdin'], updates.join(''));
}

function history(refCount: number): string {
  const lines: string[] = [];
  const commit = (ref: string, i: number): void => {
    const message = `change ${i}`;
    lines.push(
      `commit ${ref}\nmark :${i + 1}\ncommitter A U Thor <author@example.com> ${1_700_000_000 + i} +0000\n`,
      `data ${message.length}\n${message}\n`,
      i === 0 ? '' : `from :${i}\n`,
      `M 644 inline file\ndata ${message.length}\n${message}\n`,
    );
  };
  const commitCount = Math.max(1, Math.ceil(refCount / REFS_A_COMMIT));
  for (let i = 0; i < commitCount; i++) commit('refs/heads/main', i);
  for (let i = 0; i < refCount - 1; i++) {
    const mark = (i % commitCount) + 1;
    if (i % 2 === 0) lines.push(`reset refs/heads/${branchName(i)}\nfrom :${mark}\n\n`);
    else if (i % TAG_EVERY === 1) {
      lines.push(
        `tag v${i}\nfrom :${mark}\ntagger A U Thor <author@example.com> 1700000000 +0000\ndata 4\ntag\n`,
      );
    } else lines.push(`reset refs/tags/light-${i}\nfrom :${mark}\n\n`);
  }
  return lines.join('');
}

function branchName(i: number): string {
  return `topic/${String(i % 50).padStart(2, '0')}/change-${i}`;
}

function git(args: readonly string[], input = ''): void {
  const result = spawnSync('git', args, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
}
