import assert from 'node:assert/strict';
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { admissionSettings, defaultAdmission } from '../../../src/server/admission/settings.ts';
import { checkSecrets } from '../../../src/server/config/check-secrets.ts';
import {
  type ConfigSources,
  loadServerConfig,
  readServerConfig,
  readSettings,
} from '../../../src/server/config/load-config.ts';
import { formatProblem } from '../../../src/server/config/problem.ts';
import { DEFAULT_SSH_LIMITS } from '../../../src/ssh.ts';
import { newAuthority, OPENSSL_MISSING } from '../../support/certificates.ts';
import { scratchDirectory } from '../../support/git.ts';

/** Sources whose file, if any, has this text. */
async function sources(
  t: TestContext,
  text: string | undefined,
  more: Partial<ConfigSources> = {},
): Promise<ConfigSources> {
  const directory = await scratchDirectory(t);
  if (text !== undefined) writeFileSync(join(directory, 'packwire.json'), text);
  return { file: text === undefined ? undefined : 'packwire.json', directory, environment: {}, ...more };
}

/** What is said of `given` now, without its directory. */
async function saidOf(given: ConfigSources): Promise<string[]> {
  const { problems } = await readServerConfig(given);
  return problems.map((problem) => formatProblem(problem).replaceAll(`${given.directory}/`, ''));
}

/** What is said of a file, without its directory. */
async function complaints(
  t: TestContext,
  text: string,
  more: Partial<ConfigSources> = {},
): Promise<string[]> {
  return saidOf(await sources(t, text, more));
}

test('without a file, everything has its default', async (t) => {
  const given = await sources(t, undefined);
  const config = await loadServerConfig(given);
  assert.equal(config.root, join(given.directory, 'repos'));
  assert.deepEqual(config.listen, { http: [{ host: '127.0.0.1', port: 8080 }], https: [], ssh: [], git: [] });
  assert.deepEqual(config.limits, DEFAULT_LIMITS);
  assert.deepEqual(config.admission, defaultAdmission());
  assert.deepEqual(config.fetch, { wants: 'reachable', dumb: true });
  assert.equal(config.access.rules, undefined);
  const { hostKeys, passwords, greeting, ...sshLimits } = config.ssh;
  assert.equal(hostKeys, join(given.directory, 'ssh-host-keys'));
  assert.deepEqual({ passwords, greeting }, { passwords: false, greeting: true });
  const { idleTimeoutMs: _, pushPauseMs: __, ...defaults } = DEFAULT_SSH_LIMITS;
  assert.deepEqual(sshLimits, defaults);
});

test('sizes and times have units, paths start at the file, names of headers are small', async (t) => {
  const given = await sources(
    t,
    `{
      // everything is optional
      "root": "git", "cacheBytes": "2g", "keepOpenMs": "5m", "drainMs": 1500,
      "listen": { "http": ["8080", "[::1]:0"] },
      "limits": { "maxPackBytes": "10m", "idleTimeoutMs": "30s" },
      "admission": { "clone": { "running": 3 }, "rates": { "address": { "perSecond": 0.5 } } },
      "proxies": { "trusted": ["10.0.0.0/8", "::1"], "userHeader": "X-Remote-User" },
      "fetch": { "wants": "advertised" },
      "access": { "file": "access.json" },
    }`,
    { environment: {} },
  );
  writeFileSync(join(given.directory, 'access.json'), '{}', { mode: 0o600 });
  const config = await loadServerConfig(given);
  assert.equal(config.root, join(given.directory, 'git'));
  assert.deepEqual([config.cacheBytes, config.keepOpenMs, config.drainMs], [2 * 1024 ** 3, 300_000, 1500]);
  assert.deepEqual(config.listen.http, [
    { host: '127.0.0.1', port: 8080 },
    { host: '::1', port: 0 },
  ]);
  assert.deepEqual(config.limits, { ...DEFAULT_LIMITS, maxPackBytes: 10 * 1024 ** 2, idleTimeoutMs: 30_000 });
  const { rates } = defaultAdmission();
  assert.deepEqual(config.admission.clone, admissionSettings({ clone: { running: 3 } }).clone);
  assert.deepEqual(config.admission.rates.address, { ...rates.address, perSecond: 0.5 });
  assert.equal(config.proxies.userHeader, 'x-remote-user');
  assert.deepEqual(config.fetch, { wants: 'advertised', dumb: false });
});

test('flags go before the environment, the environment before the file, each setting for itself', async (t) => {
  const given = await sources(
    t,
    '{ "readOnly": false, "create": true, "cacheBytes": 1, "keepOpenMs": 1, "drainMs": 1, "root": "in-file" }',
    {
      environment: {
        PACKWIRE_CACHE_BYTES: '2k',
        PACKWIRE_KEEP_OPEN_MS: '2s',
        PACKWIRE_READ_ONLY: 'yes',
        PACKWIRE_CREATE: '',
        PACKWIRE_LISTEN_HTTP: '0, [::1]:0',
        PACKWIRE_ADMISSION_CLONE_RUNNING: '4',
        PACKWIRE_ACCESS_RULES: '[{ "repositories": ["**"], "subjects": ["@all"], "allow": ["read"] }]',
      },
      flags: [
        { setting: 'keepOpenMs', flag: '--keep-open', value: '3s' },
        { setting: 'listen.git', flag: '--git', value: ['0'] },
      ],
    },
  );
  const { config, problems, originOf } = await readServerConfig(given);
  assert.deepEqual(problems, []);
  assert.ok(config);
  assert.deepEqual([config.cacheBytes, config.keepOpenMs, config.drainMs], [2048, 3000, 1]);
  assert.deepEqual([config.readOnly, config.create], [true, true]);
  assert.equal(config.listen.http.length, 2);
  assert.deepEqual(config.listen.git, [{ host: '127.0.0.1', port: 0 }]);
  assert.equal(config.admission.clone.running, 4);
  assert.deepEqual(config.access.rules?.[0]?.allow, ['read']);
  assert.deepEqual(originOf(['keepOpenMs']), { kind: 'flag', name: '--keep-open' });
  assert.deepEqual(originOf(['cacheBytes']), { kind: 'environment', name: 'PACKWIRE_CACHE_BYTES' });
  const path = join(given.directory, 'packwire.json');
  assert.deepEqual(originOf(['drainMs']), { kind: 'file', path, line: 1, column: 83 });
  assert.deepEqual(originOf(['hooks']), { kind: 'default' });
});

test('relative paths start where they were written', async (t) => {
  const given = await sources(t, '{ "root": "git" }', {
    environment: { PACKWIRE_SSH_HOST_KEYS: 'keys' },
    directory: '/elsewhere',
  });
  const { directory } = await sources(t, '{ "root": "git" }');
  const { config } = await readSettings({ ...given, file: join(directory, 'packwire.json') });
  assert.equal(config?.root, join(directory, 'git'));
  assert.equal(config?.ssh.hostKeys, '/elsewhere/keys');
});

for (const [text, ...expected] of [
  [
    '{ "readonly": true }',
    'packwire.json:1:3: error: there is no member "readonly" here; did you mean "readOnly"?',
  ],
  [
    '{ "listen": { "htttp": [] } }',
    'packwire.json:1:15: error: listen: there is no member "htttp" here; did you mean "http"?',
  ],
  [
    '{ "maxPackBytes": 1 }',
    'packwire.json:1:3: error: there is no member "maxPackBytes" here; did you mean "limits.maxPackBytes"?',
  ],
  ['{ "colour": 1 }', 'packwire.json:1:3: error: there is no member "colour" here'],
  ['{ "create": "yes" }', 'packwire.json:1:13: error: create: must be true or false, got "yes"'],
  ['{ "listen": [] }', 'packwire.json:1:13: error: listen: must be an object: { … }'],
  ['[]', 'packwire.json:1:1: error: must be an object: { … }'],
  [
    '{ "listen": { "http": ["8080", "here"] } }',
    'packwire.json:1:32: error: listen.http[1]: must be [host:]port, such as "8080", "127.0.0.1:8080" or "[::1]:8080", got "here"',
  ],
  [
    '{ "cacheBytes": "1.5g" }',
    'packwire.json:1:17: error: cacheBytes: must be a size of at least 0 bytes, such as 500, "10k", "2m" or "1g", got "1.5g"',
  ],
  [
    '{ "keepOpenMs": 0 }',
    'packwire.json:1:17: error: keepOpenMs: must be a time of at least 1 milliseconds, such as 500, "500ms", "30s", "5m", "2h" or "1d", got 0',
  ],
  ['{ "hooks": "all" }', 'packwire.json:1:12: error: hooks: must be own, any or none, got "all"'],
  [
    '{ "proxies": { "trusted": ["10.0.0.0/33"] } }',
    'packwire.json:1:28: error: proxies.trusted[0]: must be an address or a network, such as "10.0.0.0/8" or "::1", got "10.0.0.0/33"',
  ],
  [
    '{ "access": { "rules": [{ "subjects": ["@all"], "allow": ["read"] }] } }',
    'packwire.json:1:25: error: access.rules[0].repositories: is missing: it must be a list, and each item the name of a repository without slash in front and .git behind, such as "team/app", "team/*" or "**"',
  ],
  [
    '{ "access": { "rules": [{ "repositories": ["/app.git"], "subjects": ["@all"], "deny": [] }] } }',
    'packwire.json:1:44: error: access.rules[0].repositories[0]: must be the name of a repository without slash in front and .git behind, such as "team/app", "team/*" or "**", got "/app.git"',
  ],
  [
    '{ "access": { "rules": [{ "repositories": ["**"], "subjects": ["@all"] }] } }',
    'packwire.json:1:25: error: access.rules[0]: must allow or deny something',
  ],
  [
    '{ "access": { "rules": [{ "repositories": ["**"], "subjects": ["@all"], "refs": ["main"], "allow": ["rewrite"] }] } }',
    'packwire.json:1:82: error: access.rules[0].refs[0]: must be a full name of refs, such as "refs/heads/main", "refs/tags/**" or "**", got "main"',
    'packwire.json:1:101: error: access.rules[0].allow[0]: must be one of read, write, force, delete, create, admin, got "rewrite"',
  ],
  [
    '{ "access": { "application": { "url": "http://u:secret@host/", "secretFile": "s" } } }',
    'packwire.json:1:39: error: access.application.url: must be an http:// or https:// URL without user name and password',
  ],
  [
    '{ "access": { "application": { "url": "http://app.example.com/", "secretFile": "s" } } }',
    'packwire.json:1:39: error: access.application.url: Cannot ask the application: secrets would cross the network in plain http; use https, or allow it in so many words',
    "packwire.json:1:80: error: access.application.secretFile: there is no file 's'",
  ],
  [
    '{ "listen": { "https": ["8443"] } }',
    'packwire.json:1:24: error: listen.https: https needs tls.certificate and tls.key',
  ],
  [
    '{ "tls": { "certificate": "c.pem" } }',
    'packwire.json:1:10: warning: tls: nothing listens for https: give listen.https',
    'packwire.json:1:27: error: tls.certificate: a certificate needs its private key: give tls.key',
  ],
  [
    '{ "listen": { "ssh": ["2222"] } }',
    'packwire.json:1:22: error: listen.ssh: clients of SSH are known by their keys: give access.file or access.application',
  ],
  [
    '{ "listen": { "http": ["8080"], "git": ["127.0.0.1:8080"] }, "health": { "listen": ["[::1]:8080"] } }',
    'packwire.json:1:41: error: listen.git[0]: 127.0.0.1:8080 is taken by listen.http (127.0.0.1:8080)',
  ],
  ['{ "listen": { "http": [] } }', 'packwire.json:1:23: error: listen.http: the server would listen nowhere'],
  [
    '{ "proxies": { "userHeader": "x-user" } }',
    'packwire.json:1:30: error: proxies.userHeader: whose header? Give the proxies in proxies.trusted',
    'packwire.json:1:30: error: proxies.userHeader: nobody is known by it: give access.file or access.application',
  ],
  [
    '{ "fetch": { "wants": "advertised", "dumb": true } }',
    'packwire.json:1:45: warning: fetch.dumb: gives every object to everybody who may read, whatever fetch.wants says',
  ],
  [
    '{ "access": { "rules": [{ "repositories": ["**"], "subjects": ["alice"], "allow": ["read"] }] } }',
    'packwire.json:1:24: warning: access.rules: nobody has a name here: give access.file',
  ],
] as const) {
  test(`${text}: ${expected[0].replace(/^.*?: /, '')}`, async (t) => {
    assert.deepEqual(await complaints(t, text), expected);
  });
}

test('who may do what is to be said before other machines can reach the server', async (t) => {
  const open =
    '{ "listen": { "http": ["0.0.0.0:0"], "git": ["[::]:0"] }, "access": { "insecureAnonymous": false }, "proxies": { "trusted": ["::1"] } }';
  const refused = await complaints(t, open);
  assert.equal(refused.length, 3);
  assert.match(
    refused[2] as string,
    /^packwire.json:1:125: error: proxies.trusted: these bring clients from other/,
  );
  assert.match(refused[0] as string, /^packwire.json:1:24: error: listen.http\[0\]: 0.0.0.0 can be reached/);
  assert.match(refused[1] as string, /^packwire.json:1:46: error: listen.git\[0\]: :: can be reached/);
  assert.deepEqual(await complaints(t, open.replace('false', 'true')), []);
  const rules = '{ "rules": [{ "repositories": ["**"], "subjects": ["@all"], "allow": ["read"] }] }';
  assert.deepEqual(await complaints(t, open.replace('{ "insecureAnonymous": false }', rules)), []);
});

test('a variable or flag that is wrong is named, and one that nothing reads is a warning', async (t) => {
  const problems = await complaints(t, '{ "create": true }', {
    environment: { PACKWIRE_READONLY: '1', PACKWIRE_PORT_80_TCP_ADDR: 'x', PACKWIRE_CREATE: 'maybe' },
    flags: [{ setting: 'fetch.wants', flag: '--want', value: 'all' }],
  });
  assert.deepEqual(problems, [
    '$PACKWIRE_READONLY: warning: nothing reads it; did you mean PACKWIRE_READ_ONLY?',
    '$PACKWIRE_CREATE: error: create: must be true or false, got "maybe"',
    '--want: error: fetch.wants: must be advertised, reachable or any, got "all"',
  ]);
});

test('files that are missing, or that others may read, are said with the place that names them', async (t) => {
  const given = await sources(
    t,
    `{ "access": { "file": "access.json",
  "application": { "url": "https://app.example.com/", "secretFile": "secret" } } }`,
  );
  assert.deepEqual(await saidOf(given), [
    "packwire.json:1:23: error: access.file: there is no file 'access.json': 'packwire user add' makes it",
    "packwire.json:2:69: error: access.application.secretFile: there is no file 'secret'",
  ]);
  for (const name of ['secret', 'access.json']) writeFileSync(join(given.directory, name), '{}\n');
  const allow = (mode: number): void => {
    for (const name of ['secret', 'access.json']) chmodSync(join(given.directory, name), mode);
  };
  allow(0o644);
  assert.deepEqual(await saidOf(given), [
    "packwire.json:1:23: error: access.file: others may read or write 'access.json': chmod 600 'access.json'",
    "packwire.json:2:69: error: access.application.secretFile: others may read or write 'secret': chmod 600 'secret'",
  ]);
  allow(0o660);
  assert.match((await saidOf(given))[0] as string, /access.file: its group may write 'access.json'/);
  for (const mode of [0o600, 0o400, 0o640]) {
    allow(mode);
    assert.deepEqual(await saidOf(given), []);
  }
  writeFileSync(join(given.directory, 'secret'), '', { mode: 0o600 });
  chmodSync(join(given.directory, 'secret'), 0o600);
  assert.deepEqual(await saidOf(given), [
    'packwire.json:2:69: error: access.application.secretFile: Cannot ask the application: its secret must be one line of printable ASCII',
  ]);
});

test('a certificate and its key are looked at', { skip: OPENSSL_MISSING }, async (t) => {
  const given = await sources(
    t,
    `{ "listen": { "https": ["0"] },
  "tls": { "certificate": "one.pem", "key": "one.key" } }`,
  );
  const { directory } = given;
  newAuthority(directory, 'one');
  newAuthority(directory, 'two');
  chmodSync(join(directory, 'one.key'), 0o600);
  assert.deepEqual(await saidOf(given), []);

  const config = await loadServerConfig(given);
  const later = await checkSecrets(config, Date.now() + 3 * 86_400_000);
  assert.match(later[0]?.sentence ?? '', /^it has expired: it was good until /);

  chmodSync(join(directory, 'one.key'), 0o604);
  assert.deepEqual(await saidOf(given), [
    "packwire.json:2:45: error: tls.key: others may read or write 'one.key': chmod 600 'one.key'",
  ]);
  renameSync(join(directory, 'two.key'), join(directory, 'one.key'));
  chmodSync(join(directory, 'one.key'), 0o600);
  assert.match(
    (await saidOf(given)).join(),
    /^packwire.json:2:27: error: tls.certificate: Cannot use the TLS certificate: .*mismatch[^,]*$/,
  );
});

test('the access file is read along: its errors, and rules about nobody', async (t) => {
  const given = await sources(
    t,
    `{ "access": { "file": "access.json", "rules": [
  { "repositories": ["**"], "subjects": ["alice", "bob", "@team", "@tema", "@users"], "allow": ["read"] } ] } }`,
  );
  const path = join(given.directory, 'access.json');
  const said = (text: string): Promise<string[]> => {
    writeFileSync(path, text, { mode: 0o600 });
    return saidOf(given);
  };
  assert.deepEqual(await said('{ "users": { "alice": { "groups": ["team"] } } }'), [
    'packwire.json:2:51: warning: access.rules[0].subjects[1]: there is no user "bob"',
    'packwire.json:2:67: warning: access.rules[0].subjects[3]: nobody is in @tema',
  ]);
  assert.deepEqual(await said('{ "users": [] }'), [
    'access.json:1:12: error: users: must be an object: { "alice": { … } }',
  ]);
});

test('with an access file and no rules, users may do everything but administer', async (t) => {
  const { config } = await readSettings(await sources(t, '{ "access": { "file": "access.json" } }'));
  assert.deepEqual(config?.access.rules, [
    { repositories: ['**'], subjects: ['@users'], allow: ['read', 'write', 'force', 'delete', 'create'] },
  ]);
});

test('https or ssh alone do not open a port for HTTP', async (t) => {
  const { config } = await readSettings(await sources(t, '{ "listen": { "ssh": ["0"] } }'));
  assert.deepEqual(config?.listen.http, []);
});

test('loadServerConfig() throws all errors in one, and hands warnings on', async (t) => {
  const bad = await sources(t, '{ "create": 1, "readOnly": 2 }');
  const path = join(bad.directory, 'packwire.json');
  await assert.rejects(loadServerConfig(bad), {
    code: 'INVALID_ARGUMENT',
    message: `Cannot use this configuration:
  ${path}:1:13: error: create: must be true or false, got 1
  ${path}:1:28: error: readOnly: must be true or false, got 2`,
  });
  const warnings: string[] = [];
  await loadServerConfig(await sources(t, '{}', { environment: { PACKWIRE_ROOOT: 'x' } }), (problem) =>
    warnings.push(formatProblem(problem)),
  );
  assert.deepEqual(warnings, ['$PACKWIRE_ROOOT: warning: nothing reads it; did you mean PACKWIRE_ROOT?']);
  await assert.rejects(loadServerConfig({ ...bad, file: 'absent.json' }), { code: 'INVALID_ARGUMENT' });
});

test('whatever a file holds, it is a configuration or has an error', async (t) => {
  const given = await sources(t, '{}');
  const name = fc.constantFrom(
    'root',
    'listen',
    'http',
    'access',
    'rules',
    'file',
    'limits',
    'maxWants',
    'x',
    'tls',
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.dictionary(name, tie('tree'), { maxKeys: 3 }),
      fc.array(tie('tree'), { maxLength: 2 }),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(tree, async (value) => {
      writeFileSync(join(given.directory, 'packwire.json'), JSON.stringify(value));
      const { config, problems } = await readSettings(given);
      assert.ok(config !== undefined || problems.some(({ severity }) => severity === 'error'));
      for (const problem of problems) assert.doesNotMatch(formatProblem(problem), /undefined|\[object/);
    }),
  );
});
