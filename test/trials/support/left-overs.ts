/**
 * What a server must not leave behind in its repositories.
 *
 * @module
 */
import { readdirSync } from 'node:fs';

const TEMPORARY = /(^|\/)(tmp_[^/]*|[^/]*incoming-[^/]*|[^/]*\.lock)$/;

/** Paths below `root` of quarantines, files that were being written, and locks. */
export function leftOvers(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => TEMPORARY.test(path));
}
