/**
 * Where names of repositories were found, looked at again at each use: with a few system calls instead of the many
 * that finding takes, and never trusting that a path still leads where it led.
 *
 * @module
 */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { spellings } from './repository-name.ts';

const MAX_KNOWN = 4096;

interface KnownPath {
  readonly root: Stats;
  readonly path: string;
  /** What was asked for in the first place, when that is not there. */
  readonly absentPath: string | undefined;
  /** `path` with symbolic links followed: the git directory. */
  readonly realPath: string;
}

export class KnownPaths {
  readonly #root: string;
  /** By name, the first to be found first. */
  readonly #known = new Map<string, KnownPath>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The git directory of `name`, if it was found and is still found there. */
  find(name: string): string | undefined {
    const known = this.#known.get(name);
    if (known === undefined) return undefined;
    if (this.#isStill(known)) return known.realPath;
    this.#known.delete(name);
    return undefined;
  }

  /** `gitDirectory` was found for `name` and lies in the root. One that is not itself at the path is not remembered. */
  remember(name: string, gitDirectory: string): void {
    const [first, second] = spellings(name).map((spelling) => join(this.#root, spelling));
    const root = lookAt(this.#root);
    if (root === undefined || first === undefined) return;
    if (realPathOf(first) === gitDirectory) {
      this.#keep(name, { root, path: first, absentPath: undefined, realPath: gitDirectory });
    } else if (second !== undefined && lookAt(first) === undefined && realPathOf(second) === gitDirectory) {
      this.#keep(name, { root, path: second, absentPath: first, realPath: gitDirectory });
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

  #isStill({ root, path, absentPath, realPath }: KnownPath): boolean {
    const seen = lookAt(this.#root);
    if (seen === undefined || seen.ino !== root.ino || seen.dev !== root.dev) return false;
    return realPathOf(path) === realPath && (absentPath === undefined || lookAt(absentPath) === undefined);
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
