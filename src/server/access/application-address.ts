/**
 * Where an application is, and the secret it is told: neither may give a secret away.
 *
 * @module
 */
import { isIP } from 'node:net';
import { GitError } from '../../core/errors.ts';

/**
 * @param plainHttp whether secrets may cross a network in the clear
 * @returns the URL that questions are relative to
 * @throws {GitError} INVALID_ARGUMENT; what was given is not in the message, since it may hold a password
 */
export function parseApplicationUrl(text: string, plainHttp: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw unusable('expected an http or https URL');
  if (url.username !== '' || url.password !== '') throw unusable('a password does not belong into its URL');
  if (url.search !== '' || url.hash !== '') throw unusable('its URL must end with its path');
  if (url.protocol === 'http:' && !plainHttp && !isThisMachine(url.hostname)) {
    throw unusable('secrets would cross the network in plain http; use https, or allow it in so many words');
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** @throws {GitError} INVALID_ARGUMENT for one that is empty or cannot be a header */
export function checkSecret(secret: string): void {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(secret)) return;
  throw unusable('its secret must be one line of printable ASCII');
}

function isThisMachine(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function unusable(why: string): GitError {
  return new GitError('INVALID_ARGUMENT', `Cannot ask the application: ${why}`);
}
