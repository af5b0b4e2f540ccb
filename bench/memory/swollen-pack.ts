/**
 * A pack of the same objects and deltas with more bytes: to see whether memory grows with the size of a pack or
 * only with its objects.
 *
 * A zlib stream may hold stored blocks of no bytes; as many as wanted are put in front of each entry's own blocks.
 * Spec: RFC 1951, 3.2.4; gitformat-pack(5).
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { SHA1 } from '../../src/core/object-id.ts';
import { OFS_DELTA } from '../../src/core/object-kind.ts';
import {
  createEntryHeader,
  MAX_ENTRY_HEADER_BYTES,
  parseEntryHeader,
  writeBaseDistance,
  writeTypeAndSize,
} from '../../src/pack/entry-header.ts';
import { parsePackIndex } from '../../src/pack/idx-reader.ts';
import { PACK_HEADER_BYTES, parsePackHeader } from '../../src/pack/pack-header.ts';

const ZLIB_HEADER_BYTES = 2;
const EMPTY_STORED_BLOCK = [0, 0, 0, 0xff, 0xff];
const WRITE_BYTES = 1 << 20;

/** Write the pack at `packPath` (SHA-1, its .idx beside it) to `target`, swollen to about `bytes`. */
export function swellPack(packPath: string, target: string, bytes: number): void {
  const pack = readFileSync(packPath);
  const index = parsePackIndex(readFileSync(packPath.replace(/\.pack$/, '.idx')), {
    format: SHA1,
    packBytes: pack.length,
  });
  const count = parsePackHeader(pack);
  const blocks = Math.max(0, Math.ceil((bytes - pack.length) / count / EMPTY_STORED_BLOCK.length));
  const padding = Buffer.from(Array.from({ length: blocks }, () => EMPTY_STORED_BLOCK).flat());

  const output = new PackFileWriter(target);
  output.write(pack.subarray(0, PACK_HEADER_BYTES));
  const movedTo = new Map<number, number>();
  const header = createEntryHeader();
  const rewritten = Buffer.alloc(MAX_ENTRY_HEADER_BYTES);
  for (let n = 0, at = PACK_HEADER_BYTES; n < count; n++) {
    const end = index.entryEnd(at);
    parseEntryHeader(pack, at, end, SHA1.idBytes, header);
    const moved = output.position;
    movedTo.set(at, moved);
    if (header.type === OFS_DELTA) {
      const base = movedTo.get(at - header.baseDistance) as number;
      const sizeEnd = writeTypeAndSize(rewritten, 0, header.type, header.sizeBytes);
      output.write(rewritten.subarray(0, writeBaseDistance(rewritten, sizeEnd, moved - base)));
    } else {
      output.write(pack.subarray(at, at + header.headerBytes));
    }
    const deflated = at + header.headerBytes;
    output.write(pack.subarray(deflated, deflated + ZLIB_HEADER_BYTES));
    output.write(padding);
    output.write(pack.subarray(deflated + ZLIB_HEADER_BYTES, end));
    at = end;
  }
  output.finish();
}

class PackFileWriter {
  position = 0;
  readonly #descriptor: number;
  readonly #hash = createHash('sha1');
  readonly #buffer = Buffer.allocUnsafe(WRITE_BYTES);
  #used = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'w');
  }

  write(bytes: Uint8Array): void {
    this.position += bytes.length;
    for (let from = 0; from < bytes.length; ) {
      const end = Math.min(bytes.length, from + WRITE_BYTES - this.#used);
      this.#buffer.set(bytes.subarray(from, end), this.#used);
      this.#used += end - from;
      from = end;
      if (this.#used === WRITE_BYTES) this.#flush();
    }
  }

  finish(): void {
    this.#flush();
    writeSync(this.#descriptor, this.#hash.digest());
    closeSync(this.#descriptor);
  }

  #flush(): void {
    const full = this.#buffer.subarray(0, this.#used);
    this.#hash.update(full);
    writeSync(this.#descriptor, full);
    this.#used = 0;
  }
}
