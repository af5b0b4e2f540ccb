/**
 * Parsers of what says who a client is, and of the patterns that say what it may.
 *
 * @module
 */
import { decodeLatin1, encodeLatin1 } from '../../../src/core/bytes.ts';
import {
  formatAccessToken,
  hashSecret,
  matchesSecret,
  parseAccessToken,
} from '../../../src/server/access/access-token.ts';
import { parseAuthorization } from '../../../src/server/access/http-credentials.ts';
import { matchesPath } from '../../../src/server/access/path-pattern.ts';
import type { FuzzedParser } from '../fuzzed-parser.ts';
import { bytes, NUMBER, oneOf, REF_NAME, sequence, some } from '../grammar.ts';

const TOKEN = `pw_${'a1B2c3D4e5F6'}_${'0123456789'.repeat(4)}xyZ`;
const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

export const accessParsers: readonly FuzzedParser[] = [
  {
    name: 'access-token',
    corpus: [encodeLatin1(TOKEN)],
    generate: bytes(
      sequence(oneOf('pw_', 'pw', 'PW_'), some(oneOf('a1B2c3', '_', '0', '\n', '\xe9'), 4), oneOf('', TOKEN)),
    ),
    words: ['pw_', '_', '\n', '\0', '-'],
    read(input) {
      const text = decodeLatin1(input);
      const token = parseAccessToken(text);
      if (token === undefined) return;
      if (formatAccessToken(token) !== text) throw new Error('a token is taken for another');
      if (!matchesSecret(token.secret, hashSecret(token.secret))) throw new Error('a secret is not its own');
      if (matchesSecret(`${token.secret}x`, hashSecret(token.secret))) throw new Error('any secret will do');
    },
  },
  {
    name: 'authorization',
    corpus: [`Basic ${base64('alice:secret')}`, `Bearer ${TOKEN}`, `basic ${base64(`:${TOKEN}`)}`].map(
      encodeLatin1,
    ),
    generate: bytes(
      sequence(
        oneOf('Basic', 'bearer', 'Digest', ''),
        oneOf(' ', '  ', '\t', ''),
        oneOf(
          TOKEN,
          NUMBER,
          (random) => base64(some(oneOf('a', ':', '\0', '\n', '\xff', '\xc3\xa9'), 8)(random)),
          some(oneOf('=', 'a', '+', '/', '-', '_', ','), 8),
        ),
      ),
    ),
    words: ['Basic ', 'Bearer ', '=', '==', ':', ' ', '\0', 'Og==', 'AA=='],
    read(input) {
      const credentials = parseAuthorization(decodeLatin1(input));
      if (credentials === undefined || credentials === 'malformed') return;
      const { user, secret } =
        credentials.scheme === 'basic'
          ? { user: credentials.user, secret: credentials.password }
          : { user: '', secret: credentials.token };
      if (user.includes(':') || `${user}${secret}`.includes('\0')) throw new Error('that is no user');
    },
  },
  {
    name: 'path-pattern',
    corpus: ['team/**\nteam/app', '**/a*b*/c\nx/y/aab/c', 'refs/heads/*\nrefs/heads/a/b'].map(encodeLatin1),
    generate: bytes(
      sequence(
        some(oneOf('**', '*', 'a', 'b', '/', '/', '**/'), 8),
        '\n',
        oneOf(some(oneOf('a', 'b', '/'), 8), REF_NAME),
      ),
    ),
    words: ['**', '*', '/', '/**/', '\n', 'a', '*a*a*a'],
    read(input) {
      const [pattern = '', path = ''] = decodeLatin1(input).split('\n');
      const shortPattern = pattern.slice(0, MOST_PATTERN); // an operator's, who is no peer
      const matches = matchesPath(shortPattern, path.slice(0, MOST_PATH));
      if (shortPattern.length > SMALL || path.length > SMALL) return;
      if (matches !== isMatch(shortPattern.split('/'), path.split('/')))
        throw new Error(`'${shortPattern}' and '${path}': ${matches}`);
    },
  },
];

const MOST_PATTERN = 1024;
/** The longest name of a ref or repository. */
const MOST_PATH = 4096;
/** So short that they can be tried out in every way. */
const SMALL = 10;

/** What a pattern means, said as plainly as possible. */
function isMatch([item, ...items]: readonly string[], path: readonly string[]): boolean {
  if (item === undefined) return path.length === 0;
  const [segment, ...rest] = path;
  if (item === '**') return isMatch(items, path) || (path.length > 0 && isMatch([item, ...items], rest));
  return segment !== undefined && isSegmentMatch(item, segment) && isMatch(items, rest);
}

function isSegmentMatch(pattern: string, segment: string): boolean {
  if (pattern === '') return segment === '';
  const rest = pattern.slice(1);
  if (pattern[0] === '*')
    return isSegmentMatch(rest, segment) || (segment !== '' && isSegmentMatch(pattern, segment.slice(1)));
  return pattern[0] === segment[0] && isSegmentMatch(rest, segment.slice(1));
}
