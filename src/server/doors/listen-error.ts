/**
 * Why a port cannot be listened on.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EACCES: 'the system does not allow it (ports below 1024 need privileges)',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
};

/** A port that could not be opened, in words. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): GitError {
  const problem = LISTEN_PROBLEMS[error.code ?? ''] ?? error.message;
  return new GitError(
    'INVALID_ARGUMENT',
    `Cannot listen on ${host}:${port}: ${problem}`,
    { host, port },
    error,
  );
}
