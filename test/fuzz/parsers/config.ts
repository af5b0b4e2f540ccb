/**
 * Parsers of what operators write: the configuration of the server, its access file, public keys.
 *
 * @module
 */
import { decodeText, encodeText } from '../../../src/core/bytes.ts';
import { checkSettings } from '../../../src/server/config/check-config.ts';
import { configSchema } from '../../../src/server/config/config-schema.ts';
import { JsonDocument } from '../../../src/server/config/json-document.ts';
import { layersOf } from '../../../src/server/config/layers.ts';
import { formatProblem, hasErrors, type PathStep, type Problem } from '../../../src/server/config/problem.ts';
import { memberNames, schemaProblems } from '../../../src/server/config/schema-problems.ts';
import { serverConfigOf } from '../../../src/server/config/server-config.ts';
import { parseAccessFile } from '../../../src/server/people/access-index.ts';
import { parsePublicKeyLine } from '../../../src/server/people/public-key-line.ts';
import type { FuzzedParser } from '../fuzzed-parser.ts';
import { bytes, NUMBER, oneOf, REF_NAME, sequence, some } from '../grammar.ts';

/** Bytes that are read: who writes these files is no peer, and what is wrong is looked for at leisure. */
const MOST_BYTES = 8192;

const POINT = 'AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g';

const CONFIG = `{
  // a comment
  "root": "/srv/git",
  "listen": { "http": ["127.0.0.1:8080"], "https": [], },
  "proxies": { "trusted": ["10.0.0.0/8", "::1"] },
  "access": { "rules": [{ "repositories": ["team/**"], "subjects": ["@team"], "allow": ["read"] }] },
  "limits": { "maxPackBytes": "1g" },
  "admission": { "clone": { "running": 8, "waitMs": "30s" } },
}`;
const ACCESS = `{
  "users": { "alice": { "groups": ["team"] } },
  "tokens": [{ "id": "a1B2c3D4e5F6", "hash": "${'0'.repeat(64)}", "user": "alice", "scope": "write" }],
  "keys": [{ "key": "ssh-ed25519 ${POINT}", "user": "alice", "expiresAt": "2027-01-01T00:00:00Z" }],
  "certificateAuthorities": [],
  "revokedKeys": []
}`;

const WORDS = [
  '{',
  '}',
  '[',
  ']',
  '[[[[[[[[',
  '{"a":',
  ',',
  ':',
  '"',
  '\\',
  '\\u0000',
  '//',
  '/*',
  '*/',
  'null',
  'true',
  '1e999',
  '-1',
  '"__proto__": {}',
  '"listen"',
  '"users"',
  '"tokens"',
  '\ufeff',
];
const SCALAR = oneOf(
  'true',
  'false',
  'null',
  NUMBER,
  '"x"',
  '""',
  '"1g"',
  '"30s"',
  '[]',
  '{}',
  '["a", "b"]',
  '-1.5',
);
const MEMBER = sequence(
  oneOf(
    '"root"',
    '"listen"',
    '"http"',
    '"access"',
    '"rules"',
    '"users"',
    '"tokens"',
    '"keys"',
    '"x"',
    '"limits"',
  ),
  oneOf(': ', ':', ' '),
  SCALAR,
);
const OBJECT = sequence(
  '{',
  some(
    oneOf(MEMBER, sequence('"listen": {', MEMBER, '}'), sequence('"users": { "a": {', MEMBER, '} }')),
    4,
    ', ',
  ),
  oneOf('}', ',}', ''),
);

export const configParsers: readonly FuzzedParser[] = [
  {
    name: 'server-config',
    corpus: [encodeText(CONFIG)],
    generate: bytes(OBJECT),
    words: WORDS,
    read(input) {
      const text = decodeText(input.subarray(0, MOST_BYTES));
      const document = new JsonDocument('packwire.jsonc', text);
      check(document.problems, text);
      if (hasErrors(document.problems)) return;
      const layers = layersOf({ document, environment: {}, flags: [] });
      const parsed = configSchema.safeParse(layers.value);
      if (parsed.success) {
        for (const { path } of checkSettings(parsed.data)) layers.placeOf(path);
        serverConfigOf(parsed.data, () => '/srv');
        return;
      }
      const membersAt = (path: readonly PathStep[]): readonly string[] => memberNames(configSchema, path);
      for (const { path, unknown } of schemaProblems(parsed.error, { value: layers.value, membersAt })) {
        layers.placeOf(path);
        if (unknown !== undefined) document.originOfName(path, unknown);
      }
    },
  },
  {
    name: 'access-file',
    corpus: [encodeText(ACCESS), encodeText(`${JSON.stringify(JSON.parse(ACCESS), undefined, 2)}\n`)],
    generate: bytes(OBJECT),
    words: WORDS,
    read(input) {
      const text = decodeText(input.subarray(0, MOST_BYTES));
      const { index, problems } = parseAccessFile('access.json', text);
      check(problems, text);
      if ((index === undefined) !== hasErrors(problems)) throw new Error('it is used, and has errors');
    },
  },
  {
    name: 'public-key-line',
    corpus: [encodeText(`ssh-ed25519 ${POINT} alice@laptop`)],
    generate: bytes(
      sequence(
        oneOf('ssh-ed25519', 'ssh-rsa', 'x'),
        oneOf(' ', '  ', '\t'),
        oneOf(POINT, REF_NAME),
        oneOf('', ' x'),
      ),
    ),
    words: [' ', '\t', '=', 'AAAA', 'ssh-ed25519', '-----BEGIN OPENSSH PRIVATE KEY-----', '\n'],
    read(input) {
      const { key, fingerprint } = parsePublicKeyLine(decodeText(input));
      const again = parsePublicKeyLine(key);
      if (again.fingerprint !== fingerprint || again.key !== key)
        throw new Error('it is another key when read again');
    },
  },
];

/** Every problem is somewhere in the text. */
function check(problems: readonly Problem[], text: string): void {
  const lines = text.split('\n');
  for (const problem of problems.slice(0, 20)) {
    formatProblem(problem);
    if (problem.origin.kind !== 'file') continue;
    const { line, column } = problem.origin;
    const there = lines[line - 1];
    if (there === undefined || column < 1 || column > there.length + 1)
      throw new Error(`a problem at ${line}:${column}: ${problem.sentence}`);
  }
}
