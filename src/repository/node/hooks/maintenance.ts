/**
 * What the installed git does after a push in a repository of files: housekeeping, and the files that
 * the dumb protocol reads.
 * Spec: git-config(1), "receive.autogc", "receive.updateServerInfo", "maintenance.auto", "gc.autoDetach".
 *
 * @module
 */
import { isGitError } from '../../../core/errors.ts';
import type { GitConfig } from '../../git-config.ts';
import type { AfterPush } from '../../push/after-push.ts';
import { hookEnvironment } from './files-hooks.ts';
import { type Program, runProgram } from './run-program.ts';

/** Milliseconds between two looks at a repository that stays open: many pushes need no more housekeeping than one. */
const INTERVAL_MS = 30_000;

/**
 * Asked before git does its housekeeping; what is returned is released when that is done.
 *
 * @throws {GitError} to leave it to a later push
 */
export type AdmitMaintenance = (gitDirectory: string) => Promise<{ release(): void }>;

/**
 * @param admit given, housekeeping waits for it without anybody waiting for housekeeping
 * @returns what is to be run once a push is through; silent where git is not installed
 */
export function maintenanceOf(
  gitDirectory: string,
  config: GitConfig,
  admit?: AdmitMaintenance | undefined,
): AfterPush {
  const isAutomatic =
    config.getBoolean('receive.autogc') !== false && config.getBoolean('maintenance.auto') !== false;
  const detaches = config.getBoolean('maintenance.autoDetach') ?? config.getBoolean('gc.autoDetach') ?? true;
  const flag = detaches ? '--detach' : '--no-detach';
  let nextMs = 0;
  return async (options) => {
    const git = (args: readonly string[], call = options): Promise<boolean> =>
      runProgram({ file: 'git', args, ...frame(gitDirectory) }, call);
    if (isAutomatic && performance.now() >= nextMs) {
      nextMs = performance.now() + INTERVAL_MS;
      if (admit !== undefined) void runAdmitted(gitDirectory, admit);
      // Before 2.47 git does not know the flag, and goes into the background by itself.
      else if (!(await git([...RUN, flag], { ...options, onOutput: async () => undefined }))) await git(RUN);
    }
    if (config.getBoolean('receive.updateServerInfo') === true) await git(['update-server-info']);
  };
}

const RUN = ['maintenance', 'run', '--auto', '--quiet'];
/** So that its end is seen, whatever the configuration says and whichever git it is. */
const IN_SIGHT = ['-c', 'maintenance.autoDetach=false', '-c', 'gc.autoDetach=false'];

async function runAdmitted(gitDirectory: string, admit: AdmitMaintenance): Promise<void> {
  try {
    const place = await admit(gitDirectory);
    try {
      const program = { file: 'git', args: [...IN_SIGHT, ...RUN], ...frame(gitDirectory) };
      await runProgram(program, { onOutput: async () => undefined, timeoutMs: 0 });
    } finally {
      place.release();
    }
  } catch (error) {
    if (!isGitError(error)) throw error; // refused: a later push asks again
  }
}

function frame(directory: string): Omit<Program, 'file' | 'args'> {
  return { directory, environment: hookEnvironment({}), label: 'git', isOptional: true };
}
