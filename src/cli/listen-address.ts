/**
 * `[host:]port`, as `--http` and `--git` take it.
 *
 * @module
 */
import { type ListenAddress, parseListenAddress as parse } from '../server/listen-address.ts';
import { usageError } from './arguments.ts';

export { isLoopback, type ListenAddress } from '../server/listen-address.ts';

/** @throws {GitError} a usage error */
export function parseListenAddress(text: string, option = 'http'): ListenAddress {
  const address = parse(text);
  if (address === undefined) {
    throw usageError(`Option '--${option}' wants [host:]port, such as 8080 or 127.0.0.1:8080, got '${text}'`);
  }
  return address;
}
