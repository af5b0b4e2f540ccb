/**
 * What the tests with real git over HTTP begin with, and look at in the end.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { GitServerOptions } from '../../src/transport/http/options.ts';
import { type GitResult, git, scratchDirectory } from '../support/git.ts';
import { serveDirectory } from './http-server.ts';

/** A work tree with three commits and a tag, and a server with no repository yet. */
export async function scene(
  t: TestContext,
  options: Partial<GitServerOptions> = {},
  ...initOptions: string[]
) {
  const directory = await scratchDirectory(t);
  const root = join(directory, 'repos');
  const work = join(directory, 'work');
  git(directory, 'init', '-q', '-b', 'main', ...initOptions, work);
  for (const name of ['one', 'two', 'three']) commit(work, name);
  git(work, 'tag', '-am', 'first', 'v1');
  const server = await serveDirectory(t, root, options);
  const remote = `${server.url}/team/hello.git`;
  return { directory, root, work, server, remote, stored: join(root, 'team/hello.git') };
}

/** Add one file and commit it. */
export function commit(
  work: string,
  name: string,
  content: string | Uint8Array = `${name}\n`.repeat(300),
): void {
  writeFileSync(join(work, name), content);
  git(work, 'add', '.');
  git(work, 'commit', '-qm', name);
}

/** What git did, once it has succeeded. */
export async function ok(result: Promise<GitResult>): Promise<GitResult> {
  const seen = await result;
  assert.equal(seen.status, 0, seen.stderr);
  return seen;
}

export const refs = (repository: string): string =>
  git(repository, 'for-each-ref', '--format=%(objectname) %(refname)');
export const objects = (repository: string): string[] =>
  git(repository, 'cat-file', '--batch-all-objects', '--batch-check').split('\n').sort();

/** Nothing of an unfinished push is left. */
export function assertClean(repository: string): void {
  const left = readdirSync(join(repository, 'objects'), { recursive: true }).map(String);
  assert.deepEqual(
    left.filter((name) => /incoming|tmp_|quarantine|\.lock$/.test(name)),
    [],
  );
  git(repository, 'fsck', '--strict', '--full');
}
