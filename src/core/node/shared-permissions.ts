/**
 * Who besides their owner may use the files of a repository, whatever the umask says.
 * Spec: git-config(1), `core.sharedRepository`.
 *
 * @module
 */
import { chmodSync, fchmodSync, fstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface SharedPermissions {
  /** Read and write permissions, of 0o666. */
  readonly bits: number;
  /** Whether these are all there are; else they come to those that the umask leaves. */
  readonly isExact: boolean;
}

const PERMISSIONS = 0o7777;
/** What is made in the directory belongs to its group. Elsewhere it does so without being told. */
const SET_GROUP_ID = ['linux', 'android', 'sunos', 'aix'].includes(process.platform) ? 0o2000 : 0;

/** What becomes of the mode of a file: what its owner may not write or execute, nobody may. */
export function sharedFileMode(mode: number, { bits, isExact }: SharedPermissions): number {
  const usable = (mode & 0o200) === 0 ? bits & 0o444 : bits;
  const wanted = (mode & 0o100) === 0 ? usable : withExecute(usable);
  return isExact ? (mode & ~0o777) | wanted : mode | wanted;
}

/** Whoever may read a directory may enter it. */
export function sharedDirectoryMode(mode: number, shared: SharedPermissions): number {
  const wanted = withExecute(sharedFileMode(mode, shared));
  return (wanted & 0o060) === 0 ? wanted : wanted | SET_GROUP_ID;
}

/**
 * Share a file that was made, or that is appended to: whoever else owns it has shared it or has not. Without `shared`
 * nothing is done.
 *
 * @throws errors of the file system
 */
export function shareFile(descriptor: number, shared: SharedPermissions | undefined): void {
  if (shared === undefined) return;
  const seen = fstatSync(descriptor);
  const mode = seen.mode & PERMISSIONS;
  const wanted = sharedFileMode(mode, shared);
  if (wanted !== mode && isOurs(seen)) fchmodSync(descriptor, wanted);
}

/** Share a directory that was just made. Without `shared` nothing is done. @throws errors of the file system */
export function shareDirectory(path: string, shared: SharedPermissions | undefined): void {
  if (shared === undefined) return;
  const mode = statSync(path).mode & PERMISSIONS;
  const wanted = sharedDirectoryMode(mode, shared);
  if (wanted !== mode) chmodSync(path, wanted);
}

/** Make a directory and those above it, and share what was made. @throws errors of the file system */
export function makeSharedDirectories(path: string, shared: SharedPermissions | undefined): void {
  const first = mkdirSync(path, { recursive: true });
  if (first === undefined || shared === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) shareDirectory(made, shared);
}

function isOurs({ uid }: Stats): boolean {
  const user = process.geteuid?.();
  return user === undefined || user === 0 || user === uid;
}

function withExecute(mode: number): number {
  return mode | ((mode & 0o444) >> 2);
}
