/**
 * Objects that promisor remotes of a partial clone hold, fetched by the installed git while the clone is served.
 * Spec: git(1), `GIT_NO_LAZY_FETCH`; gitrepository-layout(5) and partial-clone.txt, "Fetching Missing Objects".
 *
 * @module
 */
import type { Cancellable } from '../../../core/byte-stream.ts';
import type { ObjectId } from '../../../core/object-id.ts';
import type { GitConfig } from '../../git-config.ts';
import type { PackProgram } from '../../pack-program.ts';
import { hookEnvironment, isOurs } from './files-hooks.ts';
import { runPackProgram } from './pack-objects-hook.ts';
import { runProgram } from './run-program.ts';

/** Milliseconds that the wants of one request may take to be fetched. */
const FETCH_TIMEOUT_MS = 600_000;

export interface PromisedObjects {
  /** git's own pack-objects, which fetches what it misses. */
  readonly packProgram: PackProgram;
  /** Have these here, as far as the remotes have them. @throws {GitError} ABORTED */
  fetch(ids: readonly ObjectId[], options: Cancellable): Promise<void>;
}

/**
 * @returns `undefined` where there is nothing to fetch from, and for a directory of another user: its configuration says
 * what is run to fetch
 */
export function promisedObjects(gitDirectory: string, config: GitConfig): PromisedObjects | undefined {
  if (!hasPromisor(config) || !isOurs(gitDirectory)) return undefined;
  const frame = { file: 'git', directory: gitDirectory, environment: hookEnvironment(FETCHING) };
  return {
    packProgram: (call) => runPackProgram({ ...frame, args: call.args, label: 'git pack-objects' }, call),
    async fetch(ids, { signal }) {
      const program = { ...frame, args: ['cat-file', '--batch-check'], label: 'git cat-file' };
      const input = ids.map((id) => `${id}\n`);
      // What could not be had is told to the client by whoever misses it.
      await runProgram(program, {
        input,
        signal,
        timeoutMs: FETCH_TIMEOUT_MS,
        onOutput: async () => undefined,
      });
    },
  };
}

const FETCHING = { GIT_NO_LAZY_FETCH: '0' };

function hasPromisor({ entries }: GitConfig): boolean {
  return entries.some(({ name }) => /^(?:extensions\.partialclone|remote\..+\.promisor)$/s.test(name));
}
