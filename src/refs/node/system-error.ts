/**
 * Errors of the file system, told apart by their code.
 *
 * @module
 */

/** @returns whether the operating system refused, for one of `codes` (`ENOENT`, …) when any are given */
export function isSystemError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return false;
  return codes.length === 0 || codes.includes(String(error.code));
}
