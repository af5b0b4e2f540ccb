/**
 * Which git is the judge: some of its answers have changed over the years.
 *
 * @module
 */
import { git } from '../../support/git.ts';

const [, MAJOR = '0', MINOR = '0'] = /(\d+)\.(\d+)/.exec(git('/', '--version')) ?? [];

export function isGitAtLeast(major: number, minor: number): boolean {
  return Number(MAJOR) > major || (Number(MAJOR) === major && Number(MINOR) >= minor);
}
