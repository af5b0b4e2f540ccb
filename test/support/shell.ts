/**
 * Shell scripts that run beside the test, with git as {@link GIT_ENVIRONMENT} has it.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { GIT_ENVIRONMENT } from './git.ts';

/** @returns what the script printed, when it has ended; rejects when it ends with anything but 0 */
export function spawnShell(script: string, cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', script], { cwd, env: GIT_ENVIRONMENT }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}
