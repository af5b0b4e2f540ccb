/**
 * What a `.gitmodules` may say, so that a client that follows it runs no command and leaves no directory it should
 * stay in.
 * Spec: gitmodules(5); git-fsck(1), `gitmodulesName`, `gitmodulesUrl`, `gitmodulesPath`, `gitmodulesUpdate`.
 *
 * @module
 */

/** A name becomes a path below `.git/modules`: no part of it may be `..`, whichever slash divides it. */
export function isSubmoduleName(name: string): boolean {
  return name !== '' && !name.split(/[/\\]/).includes('..');
}

/** What looks like an option would be one to a command it is given to. */
export function looksLikeOption(value: string): boolean {
  return value.startsWith('-');
}

/** `update = !command` would run one. */
export function isUpdateCommand(value: string): boolean {
  return value.startsWith('!');
}

const RELATIVE = /^\.{1,2}[/\\]/;
/** With `http::` and so on a remote helper is named outright; what follows is the URL it gets. */
const CURL_URL = /^(?:(?:https?|ftps?)::(?<helped>.*)|(?<plain>(?:https?|ftps?):\/\/.*))$/s;
/** `user@`, then a host, then perhaps a port. */
const NORMAL_URL =
  /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/?#]*@)?(?<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?<port>\d*))?(?:[/?#].*)?$/is;

export function isSubmoduleUrl(url: string): boolean {
  if (looksLikeOption(url)) return false;
  if (RELATIVE.test(url) || url.startsWith('git://')) {
    return !decodePercents(url).includes('\n') && !replacesHost(url);
  }
  const { helped, plain } = CURL_URL.exec(url)?.groups ?? {};
  const curlUrl = helped ?? plain;
  return curlUrl === undefined || isNormalUrl(curlUrl);
}

/** Credential helpers read lines: a newline in a URL, however written, makes two of one. */
function isNormalUrl(url: string): boolean {
  const { host, port } = NORMAL_URL.exec(url)?.groups ?? {};
  if (host === undefined || /%(?![0-9a-f]{2})/i.test(url)) return false;
  if (port !== undefined && port !== '' && (Number(port) < 1 || Number(port) > 65_535)) return false;
  return !decodePercents(url).includes('\n');
}

/** `../` chops components off the superproject's own URL: what follows must not stand where its host did. */
function replacesHost(url: string): boolean {
  let dotdots = 0;
  let rest = url;
  while (RELATIVE.test(rest)) {
    if (rest.startsWith('..')) dotdots++;
    rest = rest.replace(RELATIVE, '');
  }
  return dotdots > 0 && /^[:/]/.test(rest);
}

/** Percent escapes behind the scheme, decoded. */
function decodePercents(url: string): string {
  const colon = Math.max(0, url.indexOf(':'));
  const decoded = url
    .slice(colon)
    .replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return url.slice(0, colon) + decoded;
}
