/**
 * The repositories that a trial serves: one tiny, one large, and what pushes make beside them.
 *
 * @module
 */
import { readdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { generateRepository } from '../../../fixtures/generate-repository.ts';
import { git, gitAsync } from '../../support/git.ts';
import { makeCommit } from './small-pushes.ts';

export const TINY = 'tiny.git';
const TINY_COMMIT = makeCommit(undefined, Buffer.from('hello\n'));
/** What its `main` is at. */
export const TINY_TIP = TINY_COMMIT.id;
/** What a generated one is like when none is given. */
const GENERATED = { objects: 20_000, seed: 1, repack: true };

/**
 * Fill `root`, which exists.
 *
 * @param given bare repositories to be copied in under their own names; none makes one up
 * @returns names below `root` of the large ones
 */
export async function fillRoot(root: string, given: readonly string[]): Promise<string[]> {
  fillTiny(root);
  if (given.length === 0) {
    await generateRepository(join(root, 'generated.git'), GENERATED);
    return ['generated.git'];
  }
  return given.map((path) => {
    const name = `${basename(resolve(path)).replace(/\.git$/, '')}.git`;
    copyRepository(path, join(root, name));
    return name;
  });
}

/** Only the tiny one. */
export function fillTiny(root: string): void {
  const directory = join(root, TINY);
  const { id, pack } = TINY_COMMIT;
  git('/', 'init', '-q', '--bare', '-b', 'main', directory);
  git({ cwd: directory, input: pack }, 'unpack-objects', '-q');
  git(directory, 'update-ref', 'refs/heads/main', id);
}

/** Its own files and objects: what a trial does to the copy, the original never sees. */
function copyRepository(path: string, target: string): void {
  git('/', 'clone', '-q', '--mirror', '--no-hardlinks', resolve(path), target);
  git(target, 'config', '--remove-section', 'remote.origin');
  git(target, 'pack-refs', '--all');
}

export function refsOf(repository: string): Map<string, string> {
  const lines = git(repository, 'for-each-ref', '--format=%(refname) %(objectname)').split('\n');
  return new Map(lines.filter((line) => line !== '').map((line) => line.split(' ', 2) as [string, string]));
}

/** @returns what `git fsck --strict` has to say of each repository below `root`; nothing of sound ones */
export async function unsound(root: string, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of names) {
    const { status, stdout, stderr } = await gitAsync(
      join(root, name),
      'fsck',
      '--full',
      '--strict',
      '--no-dangling',
      '--no-progress',
    );
    if (status !== 0) found.push(`${name}: ${(stderr + stdout).trim().split('\n')[0]}`);
  }
  return found;
}

export function repositoriesBelow(root: string): string[] {
  return readdirSync(root).filter((name) => name.endsWith('.git'));
}

/** What an administrator does after a crash, with git's own locks too. @returns how many there were */
export function removeLocks(repository: string): number {
  const names = readdirSync(repository, { recursive: true, encoding: 'utf8' });
  const locks = names.filter((name) => name.endsWith('.lock'));
  for (const name of locks) rmSync(join(repository, name));
  return locks.length;
}
