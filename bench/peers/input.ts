/**
 * The repositories that the peers are measured on, and the work they are given.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { generateRepository } from '../../fixtures/generate-repository.ts';
import { type Asked, askedByClone, askedByFetch } from '../pack/requests.ts';

export interface Input {
  readonly repository: string;
  readonly facts: InputFacts;
  /** A pack of everything that the refs reach. */
  readonly packFile: string;
  readonly clone: Asked;
  /** Absent when the history is too short. */
  readonly fetch: Asked | undefined;
}

/** What the report says of an input, so that a reader can find the same one. */
export interface InputFacts {
  readonly name: string;
  /** Where it comes from, such as the command that makes it. */
  readonly origin: string;
  readonly headCommit: string;
  readonly refs: number;
  readonly commits: number;
  readonly objects: number;
  readonly packBytes: number;
  readonly packs: number;
  readonly hasBitmap: boolean;
  readonly hasCommitGraph: boolean;
}

/** Commits that the client of the fetch lacks, counted along first parents. */
export const FETCH_COMMITS = 100;

export interface Source {
  readonly path: string;
  readonly origin: string;
}

/** @param origins for readers, each `<name>=<where it comes from>`; the repository's own remote where it is absent */
export function givenRepositories(paths: readonly string[], origins: readonly string[]): readonly Source[] {
  const told = new Map(
    origins.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
  );
  return paths.map((given) => {
    const path = resolve(given);
    const { stdout } = spawnSync('git', ['-C', path, 'config', 'remote.origin.url'], { encoding: 'utf8' });
    const remote = /^https?:/.test(stdout) ? stdout.trim() : 'given on the command line';
    return { path, origin: told.get(nameOf(path)) ?? remote };
  });
}

/** A repository made here, or in an earlier run: the same objects every time. */
export async function generatedRepository(objects: number, seed: number): Promise<Source> {
  const path = join(tmpdir(), `packwire-bench-${seed}`, `generated-${objects}.git`);
  if (!existsSync(join(path, 'packed-refs'))) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
    await generateRepository(path, { objects, seed, repack: true });
    git(path, 'pack-refs', '--all'); // last, and looked for above: it is whole
  }
  return { path, origin: `fixtures/generate-repository.ts --objects=${objects} --seed=${seed} --repack` };
}

/** @param scratch a folder of its own, where the pack is put */
export function prepareInput(repository: string, origin: string, scratch: string): Input {
  const packFile = join(scratch, 'all.pack');
  const stdout = openSync(packFile, 'w');
  const args = ['-C', repository, 'pack-objects', '--revs', '--all', '--delta-base-offset', '--stdout', '-q'];
  const { status } = spawnSync('git', args, { stdio: ['ignore', stdout, 'inherit'] });
  closeSync(stdout);
  if (status !== 0) throw new Error(`git pack-objects failed in ${repository}`);

  const stored = readdirSync(join(repository, 'objects/pack'));
  const info = join(repository, 'objects/info');
  return {
    repository,
    packFile,
    clone: askedByClone(repository),
    fetch: askedByFetch(repository, FETCH_COMMITS),
    facts: {
      name: nameOf(repository),
      origin,
      headCommit: git(repository, 'rev-parse', 'HEAD'),
      refs: git(repository, 'for-each-ref', '--format=x').split('\n').length,
      commits: Number(git(repository, 'rev-list', '--count', '--all')),
      objects: packObjectCount(packFile),
      packBytes: statSync(packFile).size,
      packs: stored.filter((name) => name.endsWith('.pack')).length,
      hasBitmap: stored.some((name) => name.endsWith('.bitmap')),
      hasCommitGraph: existsSync(join(info, 'commit-graph')) || existsSync(join(info, 'commit-graphs')),
    },
  };
}

function nameOf(repository: string): string {
  return basename(repository).replace(/\.git$/, '');
}

/** As the header of a pack declares it. */
export function packObjectCount(packFile: string): number {
  const { stdout } = spawnSync('head', ['-c', '12', packFile]);
  return stdout.readUInt32BE(8);
}

export function git(repository: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('git', ['-C', repository, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}
