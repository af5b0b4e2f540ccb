/**
 * Whether the access file can be used, and knows those whom the rules are about.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { systemCode } from '../../core/node/storage-error.ts';
import { parseAccessFile } from '../people/access-index.ts';
import type { AccessIndex } from '../people/access-index-builder.ts';
import type { Finding } from './check-config.ts';
import type { Problem } from './problem.ts';
import type { ServerConfig } from './server-config.ts';

/** A file that cannot be read is nothing to it: see check-files.ts. */
export async function checkAccessFile(config: ServerConfig): Promise<(Finding | Problem)[]> {
  const { file } = config.access;
  if (file === undefined) return [];
  const text = await textOf(file);
  if (text === undefined) return [];
  const { index, problems } = parseAccessFile(file, text);
  return index === undefined ? [...problems] : [...problems, ...strangers(config, index)];
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === '') throw error;
    return undefined;
  }
}

/** Rules about nobody: most likely a slip. */
function strangers({ access }: ServerConfig, { users }: AccessIndex): Finding[] {
  const groups = new Set([...users.values()].flat());
  return (access.rules ?? []).flatMap(({ subjects }, rule) =>
    subjects.flatMap((subject, at): Finding[] => {
      if (subject === '@all' || subject === '@users') return [];
      const isGroup = subject.startsWith('@');
      if (isGroup ? groups.has(subject.slice(1)) : users.has(subject)) return [];
      const sentence = isGroup ? `nobody is in ${subject}` : `there is no user ${JSON.stringify(subject)}`;
      return [{ severity: 'warning', path: ['access', 'rules', rule, 'subjects', at], sentence }];
    }),
  );
}
