/**
 * `[host:]port`, as `--http` and `--git` take it.
 *
 * @module
 */
import { usageError } from './arguments.ts';

export interface ListenAddress {
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

const DEFAULT_HOST = '127.0.0.1';

/** @throws {GitError} a usage error */
export function parseListenAddress(text: string, option = 'http'): ListenAddress {
  const [, bracketed, plain, digits] = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65535) {
    throw usageError(`Option '--${option}' wants [host:]port, such as 8080 or 127.0.0.1:8080, got '${text}'`);
  }
  return { host: bracketed ?? plain ?? DEFAULT_HOST, port };
}

/** Whether only this machine can reach `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
