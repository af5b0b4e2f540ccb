/**
 * Every parser there is of bytes that somebody else wrote.
 *
 * @module
 */
import type { FuzzedParser } from './fuzzed-parser.ts';
import { accessParsers } from './parsers/access.ts';
import { carrierParsers } from './parsers/carriers.ts';
import { configParsers } from './parsers/config.ts';
import { dumbParsers } from './parsers/dumb.ts';
import { fetchParsers } from './parsers/fetch.ts';
import { httpParsers } from './parsers/http.ts';
import { objectParsers } from './parsers/objects.ts';
import { packParsers } from './parsers/packs.ts';
import { proxyParsers } from './parsers/proxies.ts';
import { pushParsers } from './parsers/push.ts';
import { refParsers } from './parsers/refs.ts';
import { sshParsers } from './parsers/ssh.ts';

export async function allParsers(): Promise<readonly FuzzedParser[]> {
  return [
    ...(await fetchParsers()),
    ...pushParsers(),
    ...refParsers(),
    ...packParsers(),
    ...objectParsers(),
    ...(await httpParsers()),
    ...(await dumbParsers()),
    ...carrierParsers,
    ...sshParsers,
    ...proxyParsers,
    ...accessParsers,
    ...configParsers,
  ];
}
