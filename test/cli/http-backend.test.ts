import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import zlib from 'node:zlib';
import { GIT_ENVIRONMENT, git, gitBytes } from '../support/git.ts';
import { runHere, spawnPackwire } from './run-packwire.ts';

type Environment = Readonly<Record<string, string>>;

interface CgiAnswer {
  /** `200 OK` where the program says nothing. */
  readonly status: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly errors: string;
}

let root = '';
const files = { loose: '', pack: '', index: '' };

before(() => {
  root = mkdtempSync(join(tmpdir(), 'packwire-test-'));
  const path = join(root, 'repo.git');
  git(root, 'init', '-q', '--bare', '-b', 'main', path);
  const tree = git({ cwd: path, input: '' }, 'mktree').trim();
  const first = git(path, 'commit-tree', tree, '-m', 'first').trim();
  git(path, 'update-ref', 'refs/heads/main', first);
  git(path, 'tag', '-m', 'tag', 'v1');
  git(path, 'repack', '-adq');
  const id = git(path, 'commit-tree', tree, '-m', 'second', '-p', first).trim();
  git(path, 'update-ref', 'refs/heads/main', id);
  git(path, 'update-ref', 'refs/namespaces/ns/refs/heads/inner', first);
  git(path, 'symbolic-ref', 'refs/namespaces/ns/HEAD', 'refs/namespaces/ns/refs/heads/inner');
  writeFileSync(join(path, 'objects/info/alternates'), '');
  const pack = readdirSync(join(path, 'objects/pack')).find((name) => name.endsWith('.pack')) as string;
  files.loose = `objects/${id.slice(0, 2)}/${id.slice(2)}`;
  files.pack = `objects/pack/${pack}`;
  files.index = files.pack.replace(/pack$/, 'idx');
});
after(() => rmSync(root, { recursive: true, force: true }));

function readCgi(stdout: string, errors: string): CgiAnswer {
  const end = stdout.indexOf('\r\n\r\n');
  const lines = stdout.slice(0, end).split('\r\n');
  const pairs = lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]);
  const { status = '200 OK', ...headers } = Object.fromEntries(
    pairs.map(([name, value]) => [name.toLowerCase(), value]),
  );
  return { status, headers, body: stdout.slice(end + 4), errors };
}

const base = (path: string, more: Environment): Environment => ({
  GIT_PROJECT_ROOT: root,
  PATH_INFO: path,
  GIT_HTTP_EXPORT_ALL: '',
  REQUEST_METHOD: 'GET',
  SERVER_PROTOCOL: 'HTTP/1.1',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  ...more,
});

async function ours(path: string, more: Environment = {}, input?: Uint8Array): Promise<CgiAnswer> {
  const { status, stdout, stderr } = await runHere(['http-backend'], {
    cwd: root,
    env: base(path, more),
    input,
  });
  assert.equal(status, 0);
  return readCgi(stdout, stderr);
}

function theirs(path: string, more: Environment = {}, input?: Uint8Array): CgiAnswer {
  const { stdout, stderr } = spawnSync('git', ['http-backend'], {
    cwd: root,
    env: { ...GIT_ENVIRONMENT, ...base(path, more) },
    input: input ?? new Uint8Array(0),
  });
  return readCgi(stdout.toString(), stderr.toString());
}

const post = (service: string, input: string): Environment => ({
  REQUEST_METHOD: 'POST',
  CONTENT_TYPE: `application/x-git-${service}-request`,
  CONTENT_LENGTH: String(input.length),
});
const GZIPPED_FLUSH = zlib.gzipSync('0000');

for (const [title, path, more, input] of [
  ['HEAD', 'HEAD', {}, ''],
  ['the refs', 'info/refs', {}, ''],
  ['the refs of a namespace', 'info/refs', { GIT_NAMESPACE: 'ns' }, ''],
  ['HEAD of a namespace', 'HEAD', { GIT_NAMESPACE: 'ns' }, ''],
  ['the packs', 'objects/info/packs', {}, ''],
  ['empty alternates', 'objects/info/alternates', {}, ''],
  ['alternates that are not there', 'objects/info/http-alternates', {}, ''],
  ['a file nobody needs', 'config', {}, ''],
  ['a service nobody knows', 'info/refs', { QUERY_STRING: 'service=git-x' }, ''],
  ['a service that is none', 'info/refs', { QUERY_STRING: 'service=x' }, ''],
  ['a push of a stranger', 'info/refs', { QUERY_STRING: 'service=git-receive-pack' }, ''],
  ['a push of nobody', 'info/refs', { QUERY_STRING: 'service=git-receive-pack', REMOTE_USER: '' }, ''],
  ['a posted push of a stranger', 'git-receive-pack', post('receive-pack', '0000'), '0000'],
  ['a wrong method', 'git-upload-pack', {}, ''],
  ['another wrong method', 'HEAD', { REQUEST_METHOD: 'POST' }, ''],
  ['a wrong method of old', 'HEAD', { REQUEST_METHOD: 'POST', SERVER_PROTOCOL: 'HTTP/1.0' }, ''],
  ['a wrong type', 'git-upload-pack', { ...post('upload-pack', '0000'), CONTENT_TYPE: 'text/x' }, '0000'],
  ['no type', 'git-upload-pack', { REQUEST_METHOD: 'POST', CONTENT_LENGTH: '4' }, '0000'],
  ['a flush', 'git-upload-pack', post('upload-pack', '0000'), '0000'],
] as const) {
  test(`${title} is answered as git answers it`, async () => {
    const body = Buffer.from(input);
    const [mine, gits] = [
      await ours(`/repo.git/${path}`, more, body),
      theirs(`/repo.git/${path}`, more, body),
    ];
    assert.equal(mine.status, gits.status);
    for (const [name, value] of Object.entries(gits.headers)) {
      if (name === 'last-modified' || name === 'content-length') continue;
      assert.equal(mine.headers[name], value, name);
    }
    if (mine.status !== '415 Unsupported Media Type') assert.equal(mine.body, gits.body);
    else assert.equal(mine.body.trim(), gits.body.trim().replace(/\.$/, ''));
    if (gits.errors !== '') assert.notEqual(mine.errors, '');
  });
}

test('stored files have the headers of git and HTTP’s own besides', async () => {
  for (const path of Object.values(files)) {
    const [mine, gits] = [await ours(`/repo.git/${path}`), theirs(`/repo.git/${path}`)];
    assert.equal(mine.body, gits.body);
    for (const name of ['content-length', 'content-type', 'cache-control']) {
      assert.equal(mine.headers[name], gits.headers[name], name);
    }
    for (const name of ['last-modified', 'expires']) {
      const [a, b] = [Date.parse(mine.headers[name] ?? ''), Date.parse(gits.headers[name] ?? '')];
      assert.ok(Math.abs(a - b) < 60_000, name);
      assert.match(mine.headers[name] ?? '', / GMT$/);
    }
    const part = await ours(`/repo.git/${path}`, { HTTP_RANGE: 'bytes=2-3' });
    assert.equal(part.status, '206 Partial Content');
    assert.equal(part.headers['content-length'], '2');
  }
});

test('that an object is not there is not to be remembered', async () => {
  const missing = await ours(`/repo.git/objects/00/${'0'.repeat(38)}`);
  assert.equal(missing.status, '404 Not Found');
  assert.equal(missing.body, '');
  assert.equal(missing.headers['cache-control'], 'no-cache, max-age=0, must-revalidate');
});

test('HEAD requests have no body', async () => {
  const head = await ours(`/repo.git/${files.pack}`, { REQUEST_METHOD: 'HEAD' });
  assert.equal(head.status, '200 OK');
  assert.equal(head.body, '');
  assert.ok(Number(head.headers['content-length']) > 0);
});

for (const [protocol, variables, begins] of [
  ['none', {}, '001e# service=git-upload-pack\n0000'],
  ['that of the client', { HTTP_GIT_PROTOCOL: 'version=2' }, '000eversion 2\n'],
  [
    'that of the web server',
    { HTTP_GIT_PROTOCOL: 'version=2', GIT_PROTOCOL: '' },
    '001e# service=git-upload-pack\n',
  ],
] as const) {
  test(`the protocol is ${protocol}`, async () => {
    const answer = await ours('/repo.git/info/refs', {
      QUERY_STRING: 'service=git-upload-pack',
      ...variables,
    });
    assert.equal(answer.headers['content-type'], 'application/x-git-upload-pack-advertisement');
    assert.equal(answer.body.slice(0, begins.length), begins);
  });
}

for (const [title, more, input, sentence] of [
  ['no method', { REQUEST_METHOD: undefined }, '', /No REQUEST_METHOD/],
  ['no path', { PATH_INFO: '' }, '', /GIT_PROJECT_ROOT is set but PATH_INFO is not/],
  ['no root', { GIT_PROJECT_ROOT: '' }, '', /No GIT_PROJECT_ROOT or PATH_TRANSLATED/],
  ['a path that climbs', { PATH_INFO: '/../repo.git/HEAD' }, '', /'\/\.\.\/repo\.git\/HEAD': aliased/],
  ['a path with two slashes', { PATH_INFO: '//repo.git/HEAD' }, '', /aliased/],
  ['a length that is none', { CONTENT_LENGTH: '9223372036854775808' }, '', /CONTENT_LENGTH/],
  ['a limit that is none', { GIT_HTTP_MAX_REQUEST_BUFFER: 'much' }, '', /bad value 'much'/],
] as const) {
  test(`${title} is an error of the web server`, async () => {
    const environment = Object.fromEntries(
      Object.entries({ ...base('/repo.git/HEAD', {}), ...more }).filter(([, value]) => value !== undefined),
    ) as Environment;
    const result = await runHere(['http-backend'], {
      cwd: root,
      env: environment,
      input: Buffer.from(input),
    });
    assert.equal(result.status, 0);
    assert.match(result.stderr, /^fatal: /);
    assert.match(result.stderr, sentence);
    assert.equal(readCgi(result.stdout, '').status, '500 Internal Server Error');
  });
}

test('PATH_TRANSLATED names the repository where there is no root', async () => {
  const { GIT_PROJECT_ROOT: _, ...environment } = base('', { PATH_TRANSLATED: `${root}//repo.git/HEAD` });
  const { stdout } = await runHere(['http-backend'], { cwd: root, env: environment });
  assert.equal(readCgi(stdout, '').body, 'ref: refs/heads/main\n');
});

test('only what is exported is served', async () => {
  const { GIT_HTTP_EXPORT_ALL: _, ...environment } = base('/repo.git/HEAD', {});
  const ask = async () => {
    const { stdout, stderr } = await runHere(['http-backend'], { cwd: root, env: environment });
    return readCgi(stdout, stderr).status;
  };
  assert.equal(await ask(), '404 Not Found');
  const mark = join(root, 'repo.git/git-daemon-export-ok');
  writeFileSync(mark, '');
  assert.equal(await ask(), '200 OK');
  rmSync(mark);
});

test('a body may be compressed, and ends where CONTENT_LENGTH says', async () => {
  const more = post('upload-pack', '0000');
  const gzipped = await ours(
    '/repo.git/git-upload-pack',
    { ...more, HTTP_CONTENT_ENCODING: 'gzip', CONTENT_LENGTH: String(GZIPPED_FLUSH.length) },
    GZIPPED_FLUSH,
  );
  assert.deepEqual([gzipped.status, gzipped.errors], ['200 OK', '']);

  // Nothing ends the input: an answer comes all the same.
  const child = spawnPackwire(['http-backend'], { cwd: root, env: base('/repo.git/git-upload-pack', more) });
  child.stdin?.write('0000and something else');
  const code = await new Promise((resolve) => child.on('exit', resolve));
  assert.equal(code, 0);
});

for (const [title, encoding, input] of [
  ['cut off', 'identity', Buffer.from('0032want ')],
  ['empty', 'identity', Buffer.alloc(0)],
  ['compressed and cut off', 'gzip', GZIPPED_FLUSH.subarray(0, 10)],
  ['compressed and empty', 'gzip', Buffer.alloc(0)],
  ['larger than allowed', 'identity', Buffer.from('0000'.repeat(300))],
] as const) {
  test(`a body that is ${title} is an error`, async () => {
    const answer = await ours(
      '/repo.git/git-upload-pack',
      {
        ...post('upload-pack', ''),
        CONTENT_LENGTH: String(input.length),
        HTTP_CONTENT_ENCODING: encoding,
        GIT_HTTP_MAX_REQUEST_BUFFER: '1k',
      },
      input,
    );
    assert.notEqual(answer.errors, '');
    assert.ok(answer.status !== '200 OK' || answer.body.includes('ERR '), answer.status);
  });
}

for (const [title, more, expected] of [
  ['nobody', {}, 'anonymous <anonymous@http.(none)>'],
  ['the web server’s user', { REMOTE_USER: 'me', REMOTE_ADDR: '10.0.0.1' }, 'me <me@http.10.0.0.1>'],
  [
    'whom the web server names',
    { REMOTE_USER: 'me', GIT_COMMITTER_NAME: 'Me', GIT_COMMITTER_EMAIL: 'me@x' },
    'Me <me@x>',
  ],
] as const) {
  test(`a push of ${title} is logged as one of ${expected}`, async () => {
    const path = join(root, 'pushed.git');
    rmSync(path, { recursive: true, force: true });
    git(root, 'clone', '-q', '--bare', 'repo.git', 'pushed.git');
    git(path, 'config', 'core.logAllRefUpdates', 'true');
    git(path, 'config', 'receive.autogc', 'false');
    if (!('REMOTE_USER' in more)) git(path, 'config', 'http.receivepack', 'true');
    const id = git(path, 'rev-parse', 'main').trim();
    const line = `${'0'.repeat(40)} ${id} refs/heads/new\0report-status`;
    const command = `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`;
    const pack = gitBytes({ cwd: path, input: '' }, 'pack-objects', '--stdout', '-q');
    const answer = await ours(
      '/pushed.git/git-receive-pack',
      { ...post('receive-pack', ''), CONTENT_LENGTH: '', ...more },
      Buffer.concat([Buffer.from(command), pack]),
    );
    assert.match(answer.body, /ok refs\/heads\/new/, answer.errors);
    assert.equal(git(path, 'log', '-g', '-1', '--format=%gn <%ge>', 'new').trim(), expected);
  });
}
