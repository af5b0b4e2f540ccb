/**
 * The Authorization header.
 * Spec: RFC 7617 (Basic), RFC 6750 (Bearer).
 *
 * @module
 */

export type HttpCredentials =
  | { readonly scheme: 'basic'; readonly user: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string };

/** Longest header looked at, in characters. */
const MAX_HEADER = 8192;

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** RFC 6750, b64token. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * @param header its value; `null` when there is none
 * @returns `undefined` for none, `malformed` for one that is neither
 */
export function parseAuthorization(header: string | null): HttpCredentials | 'malformed' | undefined {
  if (header === null) return undefined;
  if (header.length > MAX_HEADER) return 'malformed';
  const space = header.indexOf(' ');
  const rest = header.slice(space + 1).trim();
  switch (header.slice(0, Math.max(space, 0)).toLowerCase()) {
    case 'basic':
      return parseBasic(rest);
    case 'bearer':
      return BEARER_TOKEN.test(rest) ? { scheme: 'bearer', token: rest } : 'malformed';
    default:
      return 'malformed';
  }
}

function parseBasic(encoded: string): HttpCredentials | 'malformed' {
  if (!BASE64.test(encoded)) return 'malformed';
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0 || text.includes('\0')) return 'malformed';
  return { scheme: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
}
