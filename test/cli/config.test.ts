import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import test from 'node:test';
import { scratchDirectory } from '../support/git.ts';
import { MAIN, runHere } from './run-packwire.ts';

test('config check says what is wrong and where, and ends with 1', async (t) => {
  const cwd = await scratchDirectory(t);
  writeFileSync(join(cwd, 'packwire.json'), '{\n  "readonly": true,\n  "create": 1,\n}\n');
  const path = join(cwd, 'packwire.json');
  for (const [args, env] of [
    [['check', 'packwire.json'], {}],
    [['check', '--config=packwire.json'], {}],
    [['check'], { PACKWIRE_CONFIG: 'packwire.json' }],
  ] as const) {
    assert.deepEqual(await runHere(['config', ...args], { cwd, env }), {
      status: 1,
      stdout: `${path}:2:3: error: there is no member "readonly" here; did you mean "readOnly"?
${path}:3:13: error: create: must be true or false, got 1
`,
      stderr: '',
    });
  }
});

test('config check ends with 0 when there are warnings only, and knows flags and variables', async (t) => {
  const cwd = await scratchDirectory(t);
  writeFileSync(join(cwd, 'packwire.json'), '{ "fetch": { "wants": "advertised" } }');
  const result = await runHere(['config', 'check', 'packwire.json', '--dumb', '--keep-open=5m'], { cwd });
  assert.deepEqual(result, {
    status: 0,
    stdout:
      '--dumb: warning: fetch.dumb: gives every object to everybody who may read, whatever fetch.wants says\npackwire.json can be used\n',
    stderr: '',
  });
  const refused = await runHere(['config', 'check', '--http=0.0.0.0:80'], {
    cwd,
    env: { PACKWIRE_CREATE: 'x' },
  });
  assert.equal(refused.status, 1);
  assert.equal(refused.stdout, '$PACKWIRE_CREATE: error: create: must be true or false, got "x"\n');
});

test('every option of serve is a setting', async (t) => {
  const cwd = await scratchDirectory(t);
  const { status, stdout, stderr } = await runHere(
    [
      ...['config', 'show', '--http=0', '--https=1', '--ssh=2', '--git=3', '--access=a.json', '--create'],
      ...[
        '--read-only',
        '--want=any',
        '--no-dumb',
        '--deny-deletes',
        '--deny-non-fast-forwards',
        '--any-owner',
      ],
      ...['--max-pack-size=1k', '--max-object-size=2k', '--no-collision-detection', '--idle-timeout=3'],
      ...['--cache-bytes=4k', '--keep-open=5', '--drain-timeout=0', '-q'],
    ],
    { cwd },
  );
  assert.equal(status, 1, 'there is neither certificate nor access file');
  assert.match(stderr, /^--https: error: listen.https: https needs tls.certificate and tls.key$/m);
  assert.match(stderr, /^--access: error: access.file: there is no file/m);
  const given = [...stdout.matchAll(/^\s*"(\w+)": (.+?),? \/\/ (-.+)$/gm)].map((match) =>
    match.slice(1).join(' '),
  );
  assert.deepEqual(given, [
    'create true --create',
    'readOnly true --read-only',
    'http ["127.0.0.1:0"] --http',
    'https ["127.0.0.1:1"] --https',
    'ssh ["127.0.0.1:2"] --ssh',
    'git ["127.0.0.1:3"] --git',
    `file "${cwd}/a.json" --access`,
    'maxPackBytes 1024 --max-pack-size',
    'maxObjectBytes 2048 --max-object-size',
    'idleTimeoutMs 3000 --idle-timeout',
    'wants "any" --want',
    'dumb false --no-dumb',
    'denyDeletes true --deny-deletes',
    'denyNonFastForwards true --deny-non-fast-forwards',
    'collisionDetection false --collision-detection',
    'hooks "any" --any-owner',
    'cacheBytes 4096 --cache-bytes',
    'keepOpenMs 5000 --keep-open',
    'drainMs 0 --drain-timeout',
    'accessLog false --quiet',
  ]);
});

test('what config show prints is a configuration file that config check takes', async (t) => {
  const cwd = await scratchDirectory(t);
  mkdirSync(join(cwd, 'repos'));
  const shown = await runHere(['config', 'show'], { cwd });
  assert.equal(shown.status, 0, shown.stderr);
  writeFileSync(join(cwd, 'shown.json'), shown.stdout);
  const checked = await runHere(['config', 'check', 'shown.json'], { cwd });
  assert.deepEqual(checked, { status: 0, stdout: 'shown.json can be used\n', stderr: '' });
});

test('config schema prints the published schema', async (t) => {
  const { status, stdout } = await runHere(['config', 'schema'], { cwd: await scratchDirectory(t) });
  assert.equal(status, 0);
  const published = readFileSync(join(import.meta.dirname, '../../docs/config.schema.json'), 'utf8');
  assert.deepEqual(JSON.parse(stdout), JSON.parse(published));
});

for (const args of [[], ['chekc'], ['check', 'a', 'b'], ['check', '--unknown'], ['schema', 'x']]) {
  test(`config ${args.join(' ')} is answered with the usage`, async (t) => {
    const { status, stderr } = await runHere(['config', ...args], { cwd: await scratchDirectory(t) });
    assert.equal(status, 129);
    assert.match(stderr, /^usage: packwire config check/m);
  });
}

test('a file that is not there is fatal', async (t) => {
  const cwd = await scratchDirectory(t);
  const { status, stderr } = await runHere(['config', 'check', 'absent'], { cwd });
  assert.deepEqual([status, stderr], [128, `fatal: There is no configuration file '${cwd}/absent'\n`]);
});

test('commands without a configuration do not load what reads it', () => {
  const { files, packages } = loadedAtStart(MAIN);
  assert.ok(files.has(join(import.meta.dirname, '../../src/cli/upload-pack.ts')));
  for (const late of ['zod', 'jsonc-parser', 'ssh2']) assert.ok(!packages.has(late), late);
});

const IMPORT =
  /^(?:import|export)\s+(?!type\b)(?:[\w*]+(?:\s+as\s+\w+)?\s*,?\s*)?(?:\{[^}]*\}\s*)?from\s+'([^']+)'/gm;

/** What a module imports in any number of steps, other than when it is asked for. */
function loadedAtStart(entry: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      if (name.startsWith('.')) files.add(resolve(dirname(file), name));
      else packages.add(name);
    }
  }
  return { files, packages };
}
