/**
 * The files that clients of the dumb protocol ask for, by the path behind a repository's name.
 * Spec: gitprotocol-http(5), "Dumb Clients"; git's http-backend.
 *
 * @module
 */
import { type StoredFileKind, storedFileKind } from '../../odb/stored-files.ts';

export type DumbFile =
  /** Made when they are asked for: nobody need run update-server-info. */
  | { readonly kind: 'head' | 'refs' | 'packs' }
  /** `path` is below the objects directory. */
  | { readonly kind: StoredFileKind; readonly path: string };

const PATH = /^(.*)\/(?:(HEAD)|objects\/([^/]+\/[^/]+))$/;

/** @returns what is asked for, and what stands before it; `undefined` for a path that names no such file */
export function parseDumbPath(
  pathname: string,
): { readonly before: string; readonly file: DumbFile } | undefined {
  const [, before, head, path] = PATH.exec(pathname) ?? [];
  if (before === undefined) return undefined;
  if (head !== undefined) return { before, file: { kind: 'head' } };
  if (path === undefined) return undefined;
  if (path === 'info/packs') return { before, file: { kind: 'packs' } };
  const kind = storedFileKind(path);
  return kind && { before, file: { kind, path } };
}
