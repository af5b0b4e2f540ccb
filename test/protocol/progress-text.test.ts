import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Progress } from '../../src/core/byte-stream.ts';
import { formatBytes, progressText } from '../../src/protocol/progress-text.ts';

const report = (title: string, done: number, total?: number, finished = false): Progress => ({
  title,
  done,
  total,
  finished,
});

/** What is written for reports that come at the given milliseconds. */
function written(...reports: readonly (readonly [atMs: number, progress: Progress])[]): string[] {
  const texts: string[] = [];
  let clock = 0;
  const listen = progressText(
    (text) => texts.push(text),
    () => clock,
  );
  for (const [atMs, progress] of reports) {
    clock = atMs;
    listen(progress);
  }
  return texts;
}

test('a phase with a total is shown in percent, aligned as git does', () => {
  assert.deepEqual(
    written(
      [0, report('Counting objects', 0, 20)],
      [100, report('Counting objects', 1, 20)],
      [200, report('Counting objects', 9, 20)],
      [300, report('Counting objects', 20, 20, true)],
    ),
    [
      'Counting objects:   5% (1/20)\r',
      'Counting objects:  45% (9/20)\r',
      'Counting objects: 100% (20/20), done.\n',
    ],
  );
});

test('a phase without a total is counted', () => {
  assert.deepEqual(
    written(
      [0, report('Enumerating objects', 0)],
      [150, report('Enumerating objects', 1200)],
      [160, report('Enumerating objects', 1300, undefined, true)],
    ),
    ['Enumerating objects: 1200\r', 'Enumerating objects: 1300, done.\n'],
  );
});

test('updates come at most ten times a second, the last of a phase always', () => {
  const reports = Array.from({ length: 1000 }, (_, i) => [i, report('Counting objects', i, 1000)] as const);
  const texts = written(...reports, [1000, report('Counting objects', 1000, 1000, true)]);
  assert.equal(texts.length, 10);
  assert.equal(texts.at(-1), 'Counting objects: 100% (1000/1000), done.\n');
});

test('a phase that is over before it can be shown is one line', () => {
  assert.deepEqual(written([5, report('Compressing objects', 2, 2, true)]), [
    'Compressing objects: 100% (2/2), done.\n',
  ]);
});

test('the same numbers are not written twice, a shorter line wipes a longer one', () => {
  assert.deepEqual(
    written(
      [0, report('Unpacking objects', 0)],
      [200, report('Unpacking objects', 1000)],
      [400, report('Unpacking objects', 1000)],
      [600, report('Unpacking objects', 9)],
    ),
    ['Unpacking objects: 1000\r', 'Unpacking objects: 9   \r'],
  );
});

test('bytes are shown with their rate', () => {
  assert.deepEqual(
    written(
      [0, { title: 'Unpacking objects', done: 0, total: 3, bytes: 0, finished: false }],
      [2000, { title: 'Unpacking objects', done: 3, total: 3, bytes: 3 * 1024 * 1024, finished: true }],
    ),
    ['Unpacking objects: 100% (3/3), 3.00 MiB | 1.50 MiB/s, done.\n'],
  );
});

for (const [bytes, text] of [
  [0, '0 bytes'],
  [1, '1 byte'],
  [1023, '1023 bytes'],
  [1536, '1.50 KiB'],
  [1.25 * 1024 ** 2, '1.25 MiB'],
  [3 * 1024 ** 3, '3.00 GiB'],
] as const) {
  test(`formatBytes(${bytes}) is ${text}`, () => {
    assert.equal(formatBytes(bytes), text);
  });
}
