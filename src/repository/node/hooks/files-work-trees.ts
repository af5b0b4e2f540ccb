/**
 * Work trees of a repository of files: its own and the linked ones. What is done in them the installed git does.
 * Spec: gitrepository-layout(5), "worktrees"; git's worktree.c; git-config(1), "receive.denyCurrentBranch".
 *
 * @module
 */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ObjectId } from '../../../core/object-id.ts';
import type { GitConfig } from '../../git-config.ts';
import type { CheckoutOptions, WorkTree, WorkTrees } from '../../push/work-trees.ts';
import { kindOf, orAbsent } from '../git-directory.ts';
import { hookEnvironment } from './files-hooks.ts';
import { runProgram } from './run-program.ts';

/** git's SYMREF_MAXDEPTH. */
const MAX_SYMBOLIC_DEPTH = 5;

export class FilesWorkTrees implements WorkTrees {
  readonly #gitDirectory: string;
  readonly #config: GitConfig;
  /** Hex of the empty tree, for a HEAD without a commit. */
  readonly #emptyTree: ObjectId;

  constructor(gitDirectory: string, config: GitConfig, emptyTree: ObjectId) {
    this.#gitDirectory = gitDirectory;
    this.#config = config;
    this.#emptyTree = emptyTree;
  }

  async branches(): Promise<ReadonlyMap<string, WorkTree>> {
    const branches = new Map<string, WorkTree>();
    const add = async (path: string, gitDirectory: string): Promise<void> => {
      const branch = await this.#branchOf(gitDirectory);
      if (branch !== undefined && !branches.has(branch)) {
        branches.set(branch, this.#workTree(path, gitDirectory));
      }
    };
    if (this.#hasOwn()) {
      const directory = await realpath(this.#gitDirectory);
      await add(directory.replace(/\/\.git$/, ''), directory);
    }
    const linked = join(this.#gitDirectory, 'worktrees');
    for (const id of (await orAbsent(readdir(linked))) ?? []) {
      const gitDirectory = join(linked, id);
      const pointer = (await orAbsent(readFile(join(gitDirectory, 'gitdir'), 'utf8')))?.trimEnd();
      if (pointer !== undefined && pointer !== '')
        await add(dirname(resolve(gitDirectory, pointer)), gitDirectory);
    }
    return branches;
  }

  #hasOwn(): boolean {
    const isBare = this.#config.getBoolean('core.bare');
    return isBare === false || (isBare === undefined && this.#config.get('core.worktree') !== undefined);
  }

  /** Where HEAD there leads, or where a rebase under way will bring it back. */
  async #branchOf(gitDirectory: string): Promise<string | undefined> {
    let target = await symbolicTarget(join(gitDirectory, 'HEAD'));
    if (target === undefined) {
      for (const state of ['rebase-merge', 'rebase-apply']) {
        const head = await orAbsent(readFile(join(gitDirectory, state, 'head-name'), 'utf8'));
        if (head !== undefined) return head.trimEnd();
      }
      return undefined;
    }
    for (let depth = 1; depth < MAX_SYMBOLIC_DEPTH; depth++) {
      const next = await symbolicTarget(join(this.#gitDirectory, target));
      if (next === undefined) break;
      target = next;
    }
    return target;
  }

  #workTree(path: string, gitDirectory: string): WorkTree {
    return {
      path,
      gitDirectory,
      checkOut: (commit, options) => this.#deploy(path, gitDirectory, commit, options),
    };
  }

  async #deploy(
    path: string,
    gitDirectory: string,
    commit: ObjectId,
    options: CheckoutOptions,
  ): Promise<string | undefined> {
    const git = (quiet: boolean, ...args: string[]): Promise<boolean> =>
      runProgram(
        {
          file: 'git',
          args,
          directory: path,
          environment: hookEnvironment({ GIT_DIR: gitDirectory }),
          label: `git ${args[0]}`,
        },
        quiet ? { ...options, onOutput: async () => undefined } : options,
      );
    if (!(await git(false, 'update-index', '-q', '--ignore-submodules', '--refresh')))
      return 'Up-to-date check failed';
    if (!(await git(false, 'diff-files', '--quiet', '--ignore-submodules', '--')))
      return 'Working directory has unstaged changes';
    const head = (await git(true, 'rev-parse', '-q', '--verify', 'HEAD')) ? 'HEAD' : this.#emptyTree;
    if (!(await git(true, 'diff-index', '--quiet', '--cached', '--ignore-submodules', head, '--')))
      return 'Working directory has staged changes';
    if (!(await git(false, 'read-tree', '-u', '-m', commit)))
      return 'Could not update working tree to new HEAD';
    return undefined;
  }
}

/** @returns the ref that the file at `path` names; `undefined` for anything else */
async function symbolicTarget(path: string): Promise<string | undefined> {
  if ((await kindOf(path)) !== 'file') return undefined;
  const [, target] = /^ref:\s*(refs\/\S+)/.exec(await readFile(path, 'utf8')) ?? [];
  return target;
}
