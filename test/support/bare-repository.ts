/**
 * A small bare repository made by git, with objects that refs can point at.
 *
 * @module
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { git, scratchDirectory } from './git.ts';

export interface BareRepository {
  readonly path: string;
  /** Commits without a common history, in no ref. */
  readonly commits: readonly string[];
  /** An annotated tag of the first commit, in no ref. */
  readonly tag: string;
  git(...args: readonly string[]): string;
}

export async function bareRepository(
  context: Pick<TestContext, 'after'>,
  { commits = 3, init = [] }: { readonly commits?: number; readonly init?: readonly string[] } = {},
): Promise<BareRepository> {
  const path = join(await scratchDirectory(context), 'bare.git');
  git('/', 'init', '--quiet', '--bare', '--initial-branch=main', ...init, path);
  const run = (...args: readonly string[]) => git(path, ...args);
  const tree = git({ cwd: path, input: '' }, 'mktree').trim();
  const made = Array.from({ length: commits }, (_, n) =>
    run('commit-tree', tree, '-m', `commit ${n}`).trim(),
  );
  const tagText = `object ${made[0]}\ntype commit\ntag v1\ntagger T <t@example.com> 1112911993 -0700\n\nv1\n`;
  const tag = git({ cwd: path, input: tagText }, 'mktag').trim();
  return { path, commits: made, tag, git: run };
}

/** Lock files and staged files, which must not outlive a call. */
export function leftovers(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.lock$|\.new$|tmp_ref_|\.init-/.test(name),
  );
}
