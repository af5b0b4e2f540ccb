/**
 * What the installed git does after a push in a repository of files: housekeeping, and the files that
 * the dumb protocol reads.
 * Spec: git-config(1), "receive.autogc", "receive.updateServerInfo", "maintenance.auto", "gc.autoDetach".
 *
 * @module
 */
import type { GitConfig } from '../../git-config.ts';
import type { AfterPush } from '../../push/after-push.ts';
import { hookEnvironment } from './files-hooks.ts';
import { type Program, runProgram } from './run-program.ts';

/** Milliseconds between two looks at a repository that stays open: many pushes need no more housekeeping than one. */
const INTERVAL_MS = 30_000;

/** @returns what is to be run once a push is through; silent where git is not installed */
export function maintenanceOf(gitDirectory: string, config: GitConfig): AfterPush {
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
      // Before 2.47 git does not know the flag, and goes into the background by itself.
      const isDone = await git([...RUN, flag], { ...options, onOutput: async () => undefined });
      if (!isDone) await git(RUN);
    }
    if (config.getBoolean('receive.updateServerInfo') === true) await git(['update-server-info']);
  };
}

const RUN = ['maintenance', 'run', '--auto', '--quiet'];

function frame(directory: string): Omit<Program, 'file' | 'args'> {
  return { directory, environment: hookEnvironment({}), label: 'git', isOptional: true };
}
