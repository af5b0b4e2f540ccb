/**
 * The files an object database is kept in, for clients of the dumb protocol, which copy them as they are.
 * Spec: gitprotocol-http(5), "Dumb Clients"; gitrepository-layout(5).
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';

/** What a client may copy: `text` is what lies in `info/`, and may change; the others never do. */
export type StoredFileKind = 'text' | 'loose' | 'pack' | 'index';

const PATTERNS: readonly (readonly [StoredFileKind, RegExp])[] = [
  ['text', /^info\/(?:http-)?alternates$/],
  ['loose', /^[0-9a-f]{2}\/(?:[0-9a-f]{38}|[0-9a-f]{62})$/],
  ['pack', /^pack\/pack-(?:[0-9a-f]{40}|[0-9a-f]{64})\.pack$/],
  ['index', /^pack\/pack-(?:[0-9a-f]{40}|[0-9a-f]{64})\.idx$/],
];

/** @param path below the objects directory. @returns `undefined` for what clients have no business with */
export function storedFileKind(path: string): StoredFileKind | undefined {
  return PATTERNS.find(([, pattern]) => pattern.test(path))?.[0];
}

/** A file that is open: another process may remove it meanwhile. Disposing closes it. */
export interface StoredFile extends AsyncDisposable {
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Letters, digits and dashes; another one when the bytes may be others. */
  readonly version: string;
  /**
   * The bytes at `[from, to)`, read as they are asked for.
   *
   * @throws {GitError} STORAGE_FAILED, also when the file has become shorter; ABORTED
   */
  read(from: number, to: number, options?: Cancellable): AsyncGenerator<Uint8Array>;
}

export interface StoredFiles {
  /** Names of the database's own packs, those of alternates not among them, as `pack-….pack`; the newest first. */
  packNames(): Promise<readonly string[]>;
  /**
   * @param path below the objects directory, of a {@link storedFileKind}
   * @returns `undefined` when there is none
   * @throws {GitError} STORAGE_FAILED
   */
  open(path: string): Promise<StoredFile | undefined>;
}
