import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/core/limits.ts';
import { encodePacket, FLUSH_PACKET } from '../../src/protocol/pkt-line.ts';
import { type UploadArchiveOptions, uploadArchive } from '../../src/protocol/upload-archive.ts';
import { openRepository } from '../../src/repository/node/open-repository.ts';
import { git, gitBytes, scratchDirectory } from '../support/git.ts';
import { packetLine, packLines, readPackets } from '../support/packets.ts';
import { chunked, drain } from '../support/streams.ts';

/** What archives can get wrong: long names, names that are no UTF-8, links, modes, attributes, submodules. */
const home = mkdtempSync(join(tmpdir(), 'packwire-test-'));
after(() => rmSync(home, { recursive: true }));

let template: Promise<string> | undefined;

/** To be read only: making it takes a dozen programs. */
function source(): Promise<string> {
  template ??= makeSource();
  return template;
}

/** One to change. */
async function copiedSource(t: TestContext): Promise<string> {
  const path = await scratchDirectory(t);
  cpSync(await source(), path, { recursive: true, verbatimSymlinks: true });
  return path;
}

async function makeSource(): Promise<string> {
  const path = join(home, 'source');
  git('/', 'init', '-q', '-b', 'main', path);
  const write = (name: string, content: string | Uint8Array): void => {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), content);
  };
  write('empty', '');
  write('docs/read me.txt', 'hello\n'.repeat(300));
  write('docs/ünï.txt', 'hello\n');
  write('bin/run', '#!/bin/sh\n');
  chmodSync(join(path, 'bin/run'), 0o755);
  symlinkSync('docs/read me.txt', join(path, 'link'));
  symlinkSync('x'.repeat(150), join(path, 'long-link'));
  write(`${'long-directory/'.repeat(8)}file`, 'deep\n');
  write(`${'d'.repeat(90)}/${'f'.repeat(120)}`, 'too long for ustar\n');
  write(
    'large.bin',
    Uint8Array.from({ length: 400_000 }, (_, i) => (i * 7919) % 251),
  );
  write('windows.bat', 'echo one\necho two\n');
  write('ident.txt', '$Id$\n');
  write('secret/key', 'private\n');
  write('secret.txt', 'private\n');
  write('only/ignored', 'private\n');
  write('version', 'commit $Format:%H %h %an <%ae> %ad|%s|%D$ end\n');
  write(
    '.gitattributes',
    'secret export-ignore\nsecret.txt export-ignore\nversion export-subst\n*.bat text eol=crlf\nident.txt ident\n',
  );
  write('only/.gitattributes', '* export-ignore\n');
  git(path, 'add', '.');
  git(path, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},module`);
  const odd = git({ cwd: path, input: 'odd\n' }, 'hash-object', '-w', '--stdin').trim();
  const index = concatBytes(encodeText(`100644 ${odd}\tod`), Uint8Array.of(0xff, 0xfe), encodeText('d\n'));
  git({ cwd: path, input: index }, 'update-index', '--index-info');
  git(path, 'commit', '-qm', 'first\n\nbody');
  git(path, 'tag', '-a', '-m', 'release', 'v1.0');
  return path;
}

interface Answer {
  readonly lines: readonly string[];
  readonly data: Buffer;
  readonly failure: unknown;
}

async function ask(
  path: string,
  args: readonly string[],
  options: Partial<UploadArchiveOptions> & { readonly limits?: Limits } = {},
): Promise<Answer> {
  await using repository = await openRepository(path);
  const request = concatBytes(...args.map((arg) => encodePacket(`argument ${arg}\n`)), FLUSH_PACKET);
  let failure: unknown;
  const answer = uploadArchive(repository, chunked(request, [7]), {
    mode: 'stateful',
    limits: DEFAULT_LIMITS,
    onFailure: (error) => {
      failure = error;
    },
    ...options,
  });
  const packets = readPackets(await drain(answer));
  const bands = packets.flatMap((packet) => (packet.kind === 'data' ? [packet.payload] : []));
  const data = Buffer.concat(bands.filter(([band]) => band === 1).map((payload) => payload.subarray(1)));
  const others = packets.filter((packet) => packet.kind !== 'data' || packet.payload[0] !== 1);
  return { lines: others.map(packetLine), data, failure };
}

const SUCCESS = ['ACK', '0000', '0000'];

for (const args of [
  ['HEAD'],
  ['--format=tar', 'v1.0'],
  ['--prefix=some/where/', 'main'],
  ['--prefix=name-', 'refs/heads/main'],
  ['HEAD', 'docs', 'bin/run'],
  ['HEAD', '*.txt'],
  ['HEAD', ':!docs', 'docs/', 'link'],
]) {
  test(`a tar of ${JSON.stringify(args)} has the bytes of git's`, async () => {
    const path = await source();

    const { lines, data } = await ask(path, args);

    assert.deepEqual(lines, SUCCESS);
    assert.ok(data.equals(gitBytes(path, 'archive', ...args)));
  });
}

for (const [text, seconds] of [
  ['2002-02-02T02:02:02-0200', 1012622522],
  ['@1112911993', 1112911993],
  ['1112911993 -0700', 1112911993],
  ['Thu, 7 Apr 2005 15:13:13 -0700', 1112911993],
  ['Thu Apr 7 15:13:13 2005 -0700', 1112911993],
] as const) {
  test(`--mtime=${text} is the time of all entries`, async () => {
    const path = await source();
    const { data } = await ask(path, [`--mtime=${text}`, 'HEAD:docs']);
    assert.equal(Number.parseInt(data.toString('latin1', 136, 147), 8), seconds);
  });
}

test('--mtime refuses what is no time', async () => {
  const { lines } = await ask(await source(), ['--mtime=whenever', 'HEAD']);
  assert.match(lines[2] ?? '', /Cannot read time .whenever./);
});

test('a tar names its commit', async () => {
  const path = await source();
  const { data } = await ask(path, ['HEAD']);
  assert.equal(data.toString('latin1', 512, 564), `52 comment=${git(path, 'rev-parse', 'HEAD')}`);
});

test('tar.umask takes bits from modes, an octal number as git reads it', async (t) => {
  const path = await copiedSource(t);
  git(path, 'config', 'tar.umask', '0077');
  const { data } = await ask(path, ['HEAD']);
  assert.ok(data.equals(gitBytes(path, 'archive', 'HEAD')));
});

for (const format of ['tar.gz', 'tgz']) {
  test(`${format} is the tar, compressed, without name and time`, async () => {
    const path = await source();

    const { data } = await ask(path, [`--format=${format}`, '-9', 'HEAD']);

    assert.ok(gunzipSync(data).equals(gitBytes(path, 'archive', 'HEAD')));
    assert.deepEqual(
      data.subarray(0, 10),
      gitBytes(path, 'archive', '--format=tgz', '-9', 'HEAD').subarray(0, 10),
    );
  });
}

test('a zip without compression has the bytes of git’s', async () => {
  const path = await source();
  const { lines, data } = await ask(path, ['--format=zip', '-0', '--prefix=p/', 'HEAD']);
  assert.deepEqual(lines, SUCCESS);
  assert.ok(data.equals(gitBytes(path, 'archive', '--format=zip', '-0', '--prefix=p/', 'HEAD')));
});

test('a compressed zip is whole, and holds what git’s holds', async (t) => {
  const path = await source();
  const directory = await scratchDirectory(t);
  const { data } = await ask(path, ['--format=zip', 'HEAD']);
  const list = (name: string, bytes: Uint8Array): string[] => {
    writeFileSync(join(directory, name), bytes);
    // Sizes after compression are zlib's choice.
    const script =
      'import sys,zipfile\nfor i in zipfile.ZipFile(sys.argv[1]).infolist(): print(repr((i.filename,i.CRC,i.external_attr,i.date_time,i.create_system)))';
    return execFileSync('python3', ['-c', script, join(directory, name)], { encoding: 'utf8' }).split('\n');
  };
  assert.deepEqual(list('a.zip', data), list('b.zip', gitBytes(path, 'archive', '--format=zip', 'HEAD')));
});

test('formats are listed in git’s order, those that are not for remote clients left out', async (t) => {
  const path = await copiedSource(t);
  git(path, 'config', 'tar.tgz.remote', 'false');
  git(path, 'config', 'tar.lz.command', 'cat');
  git(path, 'config', 'tar.lz.remote', 'true');

  const plain = await ask(path, ['--list']);
  const withPrograms = await ask(path, ['-l'], { runFilter: (_, input) => input });

  assert.equal(plain.data.toString(), 'tar\ntar.gz\nzip\n');
  assert.equal(withPrograms.data.toString(), 'tar\ntar.gz\nlz\nzip\n');
});

test('--verbose tells each path on band 2', async () => {
  const path = await source();
  const { lines } = await ask(path, ['-v', '--prefix=p/', 'HEAD', 'bin']);
  const told = lines.filter((line) => line.startsWith('2:')).map((line) => line.slice(2));
  assert.equal(told.join(''), 'p/\np/bin/\np/bin/run\n'); // in as many packets as it takes
});

const DIED = ['3:git upload-archive: archiver died with error'];
for (const [args, reason] of [
  [['nowhere'], 'no such ref: nowhere'],
  [['HEAD~0'], 'no such ref: HEAD~0'],
  [['HEAD^{tree}'], 'no such ref: HEAD^{tree}'],
  [['config'], 'no such ref: config'],
  [['../HEAD'], 'no such ref: ../HEAD'],
  [[':docs'], 'no such ref: '],
  [['HEAD:nowhere'], 'not a valid object name: HEAD:nowhere'],
  [['HEAD', 'nowhere'], "pathspec 'nowhere' did not match any files"],
  [['--format=rar', 'HEAD'], "Unknown archive format 'rar'"],
  [['-9', 'HEAD'], "Argument not supported for format 'tar': -9"],
  [['--format=zip', '-10', 'HEAD'], "Argument not supported for format 'zip': -10"],
  [['--remote=x', 'HEAD'], 'Unexpected option --remote'],
  [['--output=/etc/x', 'HEAD'], 'Unexpected option --output'],
  [['-o/etc/x', 'HEAD'], 'Unexpected option --output'],
  [['--add-file=/etc/passwd', 'HEAD'], "options '--add-file' and '--remote' cannot be used together"],
  [['--worktree-attributes', 'HEAD'], 'Unexpected option --worktree-attributes'],
  [['--list', 'HEAD'], "extra command line parameter 'HEAD'"],
  [['--zzz', 'HEAD'], "unknown option `zzz'"],
] as const) {
  test(`${JSON.stringify(args)} is refused: ${reason}`, async () => {
    const path = await source();
    const { lines, data, failure } = await ask(path, args);
    assert.deepEqual(lines, ['ACK', '0000', `2:fatal: ${reason}\n`, ...DIED]);
    assert.equal(data.length, 0);
    assert.ok(failure instanceof Error);
  });
}

test('ids and histories may be named only where the repository or the application allows it', async (t) => {
  const path = await copiedSource(t);
  const id = git(path, 'rev-parse', 'HEAD').trim();
  const expected = gitBytes(path, 'archive', 'HEAD');

  assert.deepEqual((await ask(path, [id])).lines.slice(2), [`2:fatal: no such ref: ${id}\n`, ...DIED]);
  for (const name of [id, id.slice(0, 8), 'HEAD^0', 'v1.0^{commit}']) {
    const { data } = await ask(path, [name], { allowUnreachable: true });
    assert.ok(data.equals(expected), name);
  }
  git(path, 'config', 'uploadArchive.allowUnreachable', 'true');
  assert.ok((await ask(path, [id])).data.equals(expected));
});

test('hidden refs cannot be named', async (t) => {
  const path = await copiedSource(t);
  git(path, 'config', 'transfer.hideRefs', 'refs/tags');
  assert.deepEqual((await ask(path, ['v1.0'])).lines.slice(2), ['2:fatal: no such ref: v1.0\n', ...DIED]);
  assert.deepEqual((await ask(path, ['HEAD'], { hiddenRefs: ['HEAD'] })).lines.slice(3), DIED);
});

for (const [limit, value] of [
  ['maxArchiveBytes', 20_000],
  ['maxArchiveEntries', 3],
  ['maxTreeDepth', 2],
] as const) {
  test(`${limit} ends an archive`, async () => {
    const path = await source();
    const { failure } = await ask(path, ['HEAD'], { limits: { ...DEFAULT_LIMITS, [limit]: value } });
    assert.equal((failure as { code?: string }).code, 'LIMIT_EXCEEDED');
  });
}

test('a tree with a name that leads out of it is not archived', async (t) => {
  const path = await copiedSource(t);
  const blob = git({ cwd: path, input: 'x' }, 'hash-object', '-w', '--stdin').trim();
  for (const name of ['..', '.git', '.GIT', 'git~1']) {
    const tree = concatBytes(encodeText(`100644 ${name}\0`), Buffer.from(blob, 'hex'));
    const id = git(
      { cwd: path, input: tree },
      'hash-object',
      '--literally',
      '-t',
      'tree',
      '-w',
      '--stdin',
    ).trim();
    git(path, 'update-ref', 'refs/tags/bad', git(path, 'commit-tree', '-m', 'bad', id).trim());
    const { lines, failure } = await ask(path, ['bad']);
    assert.deepEqual(lines.slice(2), ['2:fatal: the repository is damaged\n', ...DIED], name);
    assert.match(String(failure), /invalid path/);
  }
});

for (const [wire, reason] of [
  [['want x'], "'argument' token or flush expected"],
  [['0001'], "'argument' token or flush expected"],
  [['argument HEAD'], 'the remote end hung up unexpectedly'],
  [Array.from({ length: 65 }, () => 'argument HEAD'), 'Too many options (>63)'],
] as const) {
  test(`a request of ${wire.length} lines is refused: ${reason}`, async () => {
    const path = await source();
    await using repository = await openRepository(path);
    const answer = uploadArchive(repository, chunked(packLines(wire)), {
      mode: 'stateless',
      limits: DEFAULT_LIMITS,
    });
    const lines = readPackets(await drain(answer)).map(packetLine);
    assert.deepEqual(lines, ['ACK', '0000', `2:fatal: ${reason}\n`, ...DIED]);
  });
}

test('a client that stops reading stops the archive', async () => {
  const path = await source();
  await using repository = await openRepository(path);
  const request = concatBytes(encodePacket('argument HEAD\n'), FLUSH_PACKET);
  const gone = new AbortController();
  const answer = uploadArchive(repository, chunked(request), {
    mode: 'stateful',
    limits: DEFAULT_LIMITS,
    signal: gone.signal,
  });
  await answer.next();
  gone.abort();
  await assert.rejects(drain(answer), { code: 'ABORTED' });
});

test('the tests’ own oracle unpacks what is made', async (t) => {
  const path = await source();
  const directory = await scratchDirectory(t);
  const { data } = await ask(path, ['HEAD']);
  execFileSync('tar', ['xf', '-'], { cwd: directory, input: data });
  assert.equal(readFileSync(join(directory, 'windows.bat'), 'utf8'), 'echo one\r\necho two\r\n');
  assert.match(readFileSync(join(directory, 'version'), 'utf8'), /\|first\|HEAD -> main, tag: v1\.0 end/);
});
