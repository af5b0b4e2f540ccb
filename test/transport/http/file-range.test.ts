import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { httpDate, selectRange } from '../../../src/transport/http/file-range.ts';

const FILE = { sizeBytes: 100, etag: '"v1"', lastModified: 'Sat, 01 Jan 2022 00:00:00 GMT' };
const LATER = 'Sat, 01 Jan 2022 00:00:01 GMT';
const EARLIER = 'Fri, 31 Dec 2021 23:59:59 GMT';

const select = (headers: Readonly<Record<string, string>>, method = 'GET', file = FILE) =>
  selectRange({ method, url: new URL('http://h/'), header: (name) => headers[name] ?? null }, file);

const WHOLE = { status: 200, from: 0, to: 100 };

for (const [headers, expected] of [
  [{}, WHOLE],
  [{ range: 'bytes=0-' }, { status: 206, from: 0, to: 100 }],
  [{ range: 'bytes=10-' }, { status: 206, from: 10, to: 100 }],
  [{ range: 'bytes=10-19' }, { status: 206, from: 10, to: 20 }],
  [{ range: 'Bytes=99-99' }, { status: 206, from: 99, to: 100 }],
  [{ range: 'bytes=10-1000' }, { status: 206, from: 10, to: 100 }],
  [{ range: 'bytes=-30' }, { status: 206, from: 70, to: 100 }],
  [{ range: 'bytes=-1000' }, { status: 206, from: 0, to: 100 }],
  [{ range: 'bytes=100-' }, { status: 416 }],
  [{ range: 'bytes=100-200' }, { status: 416 }],
  [{ range: 'bytes=-0' }, { status: 416 }],
  [{ range: 'bytes=-' }, WHOLE],
  [{ range: 'bytes=20-10' }, WHOLE],
  [{ range: 'bytes=0-1,5-6' }, WHOLE],
  [{ range: 'lines=0-1' }, WHOLE],
  [
    { range: 'bytes=10-', 'if-range': '"v1"' },
    { status: 206, from: 10, to: 100 },
  ],
  [{ range: 'bytes=10-', 'if-range': '"v2"' }, WHOLE],
  [{ range: 'bytes=10-', 'if-range': 'W/"v1"' }, WHOLE],
  [
    { range: 'bytes=10-', 'if-range': FILE.lastModified },
    { status: 206, from: 10, to: 100 },
  ],
  [{ range: 'bytes=10-', 'if-range': LATER }, WHOLE],
  [{ range: 'bytes=100-', 'if-range': '"v2"' }, WHOLE],
  [{ 'if-none-match': '"v1"' }, { status: 304 }],
  [{ 'if-none-match': '"v0", W/"v1"' }, { status: 304 }],
  [{ 'if-none-match': '*' }, { status: 304 }],
  [{ 'if-none-match': '"v2"', 'if-modified-since': LATER }, WHOLE],
  [{ 'if-modified-since': FILE.lastModified }, { status: 304 }],
  [{ 'if-modified-since': LATER }, { status: 304 }],
  [{ 'if-modified-since': EARLIER }, WHOLE],
  [{ 'if-modified-since': 'yesterday' }, WHOLE],
  [{ 'if-none-match': '"v1"', range: 'bytes=10-' }, { status: 304 }],
] as const) {
  test(`a request with ${JSON.stringify(headers)} is given ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(select(headers), expected);
  });
}

test('a HEAD request is told of the whole file, whatever range it names', () => {
  assert.deepEqual(select({ range: 'bytes=10-' }, 'HEAD'), WHOLE);
});

test('no range of an empty file can be given', () => {
  assert.deepEqual(select({ range: 'bytes=0-' }, 'GET', { ...FILE, sizeBytes: 0 }), { status: 416 });
});

test('dates are those of HTTP', () => {
  assert.equal(httpDate(784_111_777_000), 'Sun, 06 Nov 1994 08:49:37 GMT');
});

test('what is selected lies in the file, and is never empty when it is a part', () => {
  const range = fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,20}-\d{0,20}$/));
  fc.assert(
    fc.property(range, fc.nat(1000), (text, sizeBytes) => {
      const selected = select({ range: text }, 'GET', { ...FILE, sizeBytes });
      if (selected.status === 206) {
        assert.ok(0 <= selected.from && selected.from < selected.to && selected.to <= sizeBytes);
      } else if (selected.status === 200) {
        assert.deepEqual(selected, { status: 200, from: 0, to: sizeBytes });
      } else {
        assert.equal(selected.status, 416);
      }
    }),
  );
});
