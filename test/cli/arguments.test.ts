import assert from 'node:assert/strict';
import test from 'node:test';
import { isUsageError, readArguments, readCount, readSizeBytes } from '../../src/cli/arguments.ts';
import { isLoopback, parseListenAddress } from '../../src/cli/listen-address.ts';

const OPTIONS = {
  keep: { type: 'string' },
  strict: { type: 'boolean' },
  verbose: { type: 'boolean', short: 'v' },
} as const;

for (const [args, values, positionals] of [
  [['-v', 'a.pack'], { verbose: true }, ['a.pack']],
  [['a.pack', '--strict'], { strict: true }, ['a.pack']],
  [['--no-strict'], { strict: false }, []],
  [['--keep', 'a.pack'], { keep: '' }, ['a.pack']],
  [['--keep=why'], { keep: 'why' }, []],
  [['--', '-v'], {}, ['-v']],
  [['--', '--keep'], {}, ['--keep']],
] as const) {
  test(`readArguments() reads ${args.join(' ')}`, () => {
    const read = readArguments(args, OPTIONS, ['keep']);
    assert.deepEqual({ ...read.values }, values);
    assert.deepEqual(read.positionals, positionals);
  });
}

for (const args of [['--unknown'], ['-x'], ['--strict=yes'], ['--no-keep=1']]) {
  test(`readArguments() refuses ${args.join(' ')}`, () => {
    assert.throws(() => readArguments(args, OPTIONS), isUsageError);
  });
}

for (const [text, sizeBytes] of [
  ['0', 0],
  ['500', 500],
  ['10k', 10_240],
  ['2M', 2 << 20],
  ['1g', 2 ** 30],
] as const) {
  test(`readSizeBytes() reads ${text}`, () => assert.equal(readSizeBytes(text, 'size'), sizeBytes));
}

for (const text of ['', '-1', '1.5', '1t', 'k', '99999999999999999999']) {
  test(`readSizeBytes() refuses '${text}'`, () =>
    assert.throws(() => readSizeBytes(text, 'size'), isUsageError));
  test(`readCount() refuses '${text}'`, () => assert.throws(() => readCount(text, 'n'), isUsageError));
}

for (const [text, host, port] of [
  ['8080', '127.0.0.1', 8080],
  ['0', '127.0.0.1', 0],
  ['0.0.0.0:80', '0.0.0.0', 80],
  ['[::1]:8080', '::1', 8080],
  ['git.example.org:3000', 'git.example.org', 3000],
] as const) {
  test(`parseListenAddress() reads ${text}`, () =>
    assert.deepEqual(parseListenAddress(text), { host, port }));
}

for (const text of ['', ':80', '::1:80', 'host', 'host:', '65536', 'a:b:1', '-1']) {
  test(`parseListenAddress() refuses '${text}'`, () => {
    assert.throws(() => parseListenAddress(text), isUsageError);
  });
}

for (const [host, expected] of [
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['127.evil.example', false],
] as const) {
  test(`isLoopback() says ${expected} for ${host}`, () => assert.equal(isLoopback(host), expected));
}
