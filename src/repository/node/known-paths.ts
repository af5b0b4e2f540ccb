/**
 * Where names of repositories were found, looked at again at each use: with a few system calls instead of the many
 * that finding takes, and never trusting that a path still leads where it led.
 *
 * @module
 */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { nameOfPath, spellings } from './repository-name.ts';

const MAX_KNOWN = 4096;

/** A repository that was found. */
export interface KnownRepository {
  readonly gitDirectory: string;
  /** As {@link nameOfDirectory}. */
  readonly name: string | undefined;
}

interface KnownPath {
  readonly root: Stats;
  readonly path: string;
  /** What was asked for in the first place, when that is not there. */
  readonly absentPath: string | undefined;
  /** What `path` is with symbolic links followed. */
  readonly found: KnownRepository;
}

/** The one name of the repository in `gitDirectory`, which lies in `root`; both without symbolic links. */
export function nameOfDirectory(root: string, gitDirectory: string): string | undefined {
  return nameOfPath(relative(root, gitDirectory).replaceAll(sep, '/'));
}

export class KnownPaths {
  readonly #root: string;
  /** By name, the first to be found first. */
  readonly #known = new Map<string, KnownPath>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The repository that `name` spells, if it was found and is still found there. */
  find(name: string): KnownRepository | undefined {
    const known = this.#known.get(name);
    if (known === undefined) return undefined;
    if (this.#isStill(known)) return known.found;
    this.#known.delete(name);
    return undefined;
  }

  /** `gitDirectory` was found for `name` and lies in the root. One that is not itself at the path is not remembered. */
  remember(name: string, gitDirectory: string): void {
    const [first, second] = spellings(name).map((spelling) => join(this.#root, spelling));
    const root = lookAt(this.#root);
    const realRoot = realPathOf(this.#root);
    if (root === undefined || realRoot === undefined || first === undefined) return;
    const found = { gitDirectory, name: nameOfDirectory(realRoot, gitDirectory) };
    if (realPathOf(first) === gitDirectory) {
      this.#keep(name, { root, path: first, absentPath: undefined, found });
    } else if (second !== undefined && lookAt(first) === undefined && realPathOf(second) === gitDirectory) {
      this.#keep(name, { root, path: second, absentPath: first, found });
    }
  }

  forget(name: string): void {
    this.#known.delete(name);
  }

  #keep(name: string, path: KnownPath): void {
    this.#known.set(name, path);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) return;
      this.#known.delete(oldest);
    }
  }

  #isStill({ root, path, absentPath, found }: KnownPath): boolean {
    const seen = lookAt(this.#root);
    if (seen === undefined || seen.ino !== root.ino || seen.dev !== root.dev) return false;
    return (
      realPathOf(path) === found.gitDirectory &&
      (absentPath === undefined || lookAt(absentPath) === undefined)
    );
  }
}

/** What cannot be looked at is left to those who find out why. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    return orThrow(error);
  }
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    return orThrow(error);
  }
}

function orThrow(error: unknown): undefined {
  if (error instanceof Error && 'syscall' in error) return undefined;
  throw error;
}
