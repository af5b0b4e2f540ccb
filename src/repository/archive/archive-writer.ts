/**
 * What a format of archives is to those who fill it.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import type { ObjectId } from '../../core/object-id.ts';

/** One file, link or directory of an archive. */
export interface ArchiveEntry {
  /** Bytes as the tree has them, behind the prefix; a directory's end with a slash. */
  readonly path: Uint8Array;
  /** Of the blob, tree or submodule's commit. */
  readonly id: ObjectId;
  /** As the tree has it: 0o100644, 0o100755, 0o120000, 0o040000, 0o160000. */
  readonly mode: number;
  /** Bytes of a file's content, or of a link's target; 0 for directories. */
  readonly sizeBytes: number;
}

/** Writes one archive to an ArchiveOutput. Calls come in this order: begin, entries, finish. */
export interface ArchiveWriter {
  begin(): void;
  /** @param content all of it; empty for directories */
  writeEntry(entry: ArchiveEntry, content: Uint8Array): void;
  /** A file too large to hold. Yields whenever some of it was written, so that the output can be emptied. */
  streamEntry(entry: ArchiveEntry, content: ByteStream): AsyncIterable<undefined>;
  finish(): void;
}

const TYPE_MASK = 0o170000;

export function isDirectory({ mode }: ArchiveEntry): boolean {
  const type = mode & TYPE_MASK;
  return type === 0o040000 || type === 0o160000; // a submodule is an empty directory
}

export function isSymbolicLink({ mode }: ArchiveEntry): boolean {
  return (mode & TYPE_MASK) === 0o120000;
}
