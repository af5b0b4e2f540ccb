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
  let nextMs = 0;
  return async (options) => {
    const git = (...args: string[]) => runProgram({ file: 'git', args, ...frame(gitDirectory) }, options);
    if (isAutomatic && performance.now() >= nextMs) {
      nextMs = performance.now() + INTERVAL_MS;
      await git('maintenance', 'run', '--auto', '--quiet', detaches ? '--detach' : '--no-detach');
    }
    if (config.getBoolean('receive.updateServerInfo') === true) await git('update-server-info');
  };
}

function frame(directory: string): Omit<Program, 'file' | 'args'> {
  return { directory, environment: hookEnvironment({}), label: 'git', isOptional: true };
}
