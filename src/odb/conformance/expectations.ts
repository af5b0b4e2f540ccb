/**
 * What the conformance suite expects of a reader, and how it says that it was disappointed.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { type ErrorCode, GitError } from '../../core/errors.ts';
import { bytesToHex, hexToBytes } from '../../core/object-id.ts';
import { kindOfCode } from '../../core/object-kind.ts';
import type { ObjectReader } from '../object-database.ts';
import type { KnownObject } from './random-objects.ts';

/** @throws {Error} with `message`: a test's failure, no failure of the library */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Conformance: ${message}`);
}

/** Every member of the reader agrees about each object. */
export async function expectPresent(reader: ObjectReader, objects: readonly KnownObject[]): Promise<void> {
  const { idBytes } = reader.format;
  const ids = new Uint8Array(3 + objects.length * idBytes);
  objects.forEach(({ id }, i) => {
    ids.set(hexToBytes(id), 3 + i * idBytes);
  });
  for (const [i, object] of objects.entries()) {
    const { id, kind, data } = object;
    const at = 3 + i * idBytes;
    expect(reader.has(id) && reader.hasRaw(ids, at), `has(${id}) must be true`);
    for (const read of [reader.read(id), reader.readRaw(ids, at)]) {
      expect(read?.kind === kind, `read(${id}) must give a ${kind}, got ${read?.kind}`);
      expect(equalBytes(read.data, data), `read(${id}) must give what was written`);
    }
    for (const header of [reader.readHeader(id), reader.readHeaderRaw(ids, at)]) {
      expect(header?.kind === kind && header.sizeBytes === data.length, `readHeader(${id}) must agree`);
    }
    const view = { bytes: new Uint8Array(0), start: 0, end: 0, kind: 0 };
    expect(reader.viewRaw(ids, at, view), `viewRaw(${id}) must be true`);
    expect(kindOfCode(view.kind) === kind, `viewRaw(${id}) must give a ${kind}`);
    expect(
      equalBytes(view.bytes.subarray(view.start, view.end), data),
      `viewRaw(${id}) must give its content`,
    );

    const stream = reader.stream(id);
    expect(stream?.header.kind === kind, `stream(${id}) must give a ${kind}`);
    expect(stream.header.sizeBytes === data.length, `stream(${id}) must give its size`);
    expect(equalBytes(await drained(stream.content), data), `stream(${id}) must give its content`);

    expectLocated(reader, ids, at, id);
    const found = reader.idsWithPrefix(id.slice(0, 8), 1000);
    expect(found.includes(id), `idsWithPrefix() must find ${id}`);
    expect(
      found.every((other) => other.startsWith(id.slice(0, 8))),
      'idsWithPrefix() must find no others',
    );
  }
}

function expectLocated(reader: ObjectReader, ids: Uint8Array, at: number, id: string): void {
  const location = { pack: -2, offset: -1 };
  expect(reader.locate(ids, at, location), `locate(${id}) must be true`);
  if (location.pack === -1) {
    expect(location.offset === 0, 'a loose object is at offset 0');
    return;
  }
  const first = reader.packs.findIndex(({ index }) => index.rankOf(ids, at) >= 0);
  expect(location.pack === first, `locate(${id}) must give the first pack that has it`);

  const { index, file } = reader.packs[first] as ObjectReader['packs'][number];
  const rank = index.rankOf(ids, at);
  expect(index.offsetOf(rank) === location.offset, 'locate() and the index must agree on the offset');
  expect(index.rankAtOffset(location.offset) === rank, 'the reverse index must lead back');
  const end = index.entryEnd(location.offset);
  expect(end > location.offset && end <= file.sizeBytes - reader.format.idBytes, 'an entry ends in its pack');
  const copied = new Uint8Array(reader.format.idBytes);
  index.copyId(rank, copied, 0);
  expect(bytesToHex(copied) === id, 'copyId() must give the id');
}

/** Every member of the reader agrees that there are no such objects. */
export function expectAbsent(reader: ObjectReader, objects: readonly Pick<KnownObject, 'id'>[]): void {
  const view = { bytes: new Uint8Array(0), start: 0, end: 0, kind: 0 };
  for (const { id } of objects) {
    const raw = hexToBytes(id);
    expect(!reader.has(id) && !reader.hasRaw(raw, 0), `has(${id}) must be false`);
    expect(reader.read(id) === undefined, `read(${id}) must be undefined`);
    expect(reader.readHeader(id) === undefined, `readHeader(${id}) must be undefined`);
    expect(reader.stream(id) === undefined, `stream(${id}) must be undefined`);
    expect(!reader.viewRaw(raw, 0, view), `viewRaw(${id}) must be false`);
    expect(!reader.locate(raw, 0, { pack: 0, offset: 0 }), `locate(${id}) must be false`);
    expect(!reader.idsWithPrefix(id, 10).includes(id), `idsWithPrefix(${id}) must be empty`);
  }
}

/** The promise is rejected with one of these codes, and nothing else. */
export async function expectRejected(
  promise: Promise<unknown>,
  ...codes: readonly ErrorCode[]
): Promise<void> {
  let outcome: unknown;
  try {
    await promise;
  } catch (error) {
    outcome = error;
  }
  expect(outcome instanceof GitError, `must fail with ${codes.join(' or ')}, got ${String(outcome)}`);
  expect(codes.includes(outcome.code), `must fail with ${codes.join(' or ')}, got ${outcome.code}`);
}

async function drained(stream: ByteStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return concatBytes(new Uint8Array(0), ...chunks);
}
