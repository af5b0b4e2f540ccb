/**
 * Whether the files that settings name are there, and whether others may read what is secret.
 *
 * @module
 */
import { access, constants, stat } from 'node:fs/promises';
import { systemCode } from '../../core/node/storage-error.ts';
import type { Finding } from './check-config.ts';
import type { ServerConfig } from './server-config.ts';

interface NamedFile {
  readonly path: readonly string[];
  readonly file: string | undefined;
  /** Whether others may not read it. */
  readonly isSecret: boolean;
  /** What makes it, for when it is missing. */
  readonly made?: string | undefined;
}

/** Reading and writing by everybody, and writing by the group: a group of its own may be let read. */
const NOT_FOR_OTHERS = 0o027;
const NOT_FOR_GROUP = 0o020;

export async function checkFiles({ tls, access: { file, application } }: ServerConfig): Promise<Finding[]> {
  const files: readonly NamedFile[] = [
    { path: ['tls', 'certificate'], file: tls?.certificate, isSecret: false },
    { path: ['tls', 'key'], file: tls?.key, isSecret: true },
    { path: ['tls', 'clientAuthorities'], file: tls?.clientAuthorities, isSecret: false },
    { path: ['access', 'file'], file, isSecret: true, made: "'packwire user add' makes it" },
    { path: ['access', 'application', 'secretFile'], file: application?.secretFile, isSecret: true },
  ];
  const sentences = await Promise.all(files.map(complaintAbout));
  return files.flatMap(({ path }, at): Finding[] => {
    const sentence = sentences[at];
    return sentence === undefined ? [] : [{ severity: 'error', path, sentence }];
  });
}

async function complaintAbout({ file, isSecret, made }: NamedFile): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    const found = await stat(file);
    if (!found.isFile()) return `'${file}' is no file`;
    await access(file, constants.R_OK);
    return isSecret ? exposureOf(file, found.mode) : undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === '') throw error;
    if (code === 'ENOENT') return `there is no file '${file}'${made === undefined ? '' : `: ${made}`}`;
    return `cannot read '${file}': ${code === 'EACCES' ? 'permission denied' : code}`;
  }
}

/** @returns what is wrong with the permissions of a file that holds secrets, or says who may do what */
export function exposureOf(file: string, mode: number): string | undefined {
  if (process.platform === 'win32' || (mode & NOT_FOR_OTHERS) === 0) return undefined;
  const who = (mode & NOT_FOR_OTHERS) === NOT_FOR_GROUP ? 'its group may write' : 'others may read or write';
  return `${who} '${file}': chmod 600 '${file}'`;
}
