/**
 * What the repositories that this one borrows objects from have refs to: a pusher need not send it.
 * Spec: git-config(1), "core.alternateRefsCommand", "core.alternateRefsPrefixes"; gitprotocol-pack(5), ".have".
 *
 * @module
 */
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Cancellable } from '../../core/byte-stream.ts';
import { isObjectId, type ObjectFormat, type ObjectId } from '../../core/object-id.ts';
import { MAX_ALTERNATE_DEPTH, parseAlternates } from '../../odb/alternates.ts';
import { openFilesRefDatabase } from '../../refs/node/files-ref-database.ts';
import type { GitConfig } from '../git-config.ts';
import { kindOf, orAbsent } from './git-directory.ts';
import { hookEnvironment } from './hooks/files-hooks.ts';
import { runProgram } from './hooks/run-program.ts';

export interface AlternateRefsContext {
  /** Of the borrowing repository. */
  readonly gitDirectory: string;
  readonly config: GitConfig;
  readonly format: ObjectFormat;
  /** Whether the configuration may name a program that lists them. */
  readonly runsPrograms: boolean;
}

/** Milliseconds the configured command may take. */
const COMMAND_TIMEOUT_MS = 60_000;

/** Each id once. Empty for most: few repositories borrow. */
export async function alternateTips(
  context: AlternateRefsContext,
  { signal }: Cancellable = {},
): Promise<readonly ObjectId[]> {
  const tips = new Set<ObjectId>();
  const seen = new Set<string>();
  const objects = join(context.gitDirectory, 'objects');
  for (const directory of await borrowedFrom(objects, 0, seen)) {
    for (const id of await tipsOf(dirname(directory), context, signal)) tips.add(id);
  }
  return [...tips];
}

/** Objects directories, each once, those of alternates behind their own. */
async function borrowedFrom(objects: string, depth: number, seen: Set<string>): Promise<string[]> {
  const content = await orAbsent(readFile(join(objects, 'info', 'alternates')));
  if (content === undefined || depth > MAX_ALTERNATE_DEPTH) return [];
  const found: string[] = [];
  for (const path of parseAlternates(content)) {
    const directory = await orAbsent(realpath(resolve(objects, path)));
    if (directory === undefined || seen.has(directory)) continue;
    seen.add(directory);
    found.push(directory, ...(await borrowedFrom(directory, depth + 1, seen)));
  }
  return found;
}

async function tipsOf(
  gitDirectory: string,
  context: AlternateRefsContext,
  signal: AbortSignal | undefined,
): Promise<ObjectId[]> {
  const { config, format, runsPrograms } = context;
  if ((await kindOf(join(gitDirectory, 'refs'))) !== 'directory') return []; // objects without a repository
  const command = config.get('core.alternateRefsCommand');
  if (command !== undefined && command !== '') {
    return runsPrograms ? listedBy(command, gitDirectory, context, signal) : [];
  }
  const prefixes = config
    .get('core.alternateRefsPrefixes')
    ?.split(/\s+/)
    .filter((prefix) => prefix !== '');
  const refs = await openFilesRefDatabase(gitDirectory, { format });
  try {
    const listed = await refs.list(prefixes?.length === 0 ? undefined : prefixes, { signal });
    return listed.filter(({ name }) => isNamed(name, prefixes)).map(({ id }) => id);
  } finally {
    await refs.close();
  }
}

/** As for-each-ref takes them: a prefix ends where a name's part does. */
function isNamed(name: string, prefixes: readonly string[] = []): boolean {
  const isIn = (prefix: string): boolean =>
    name.startsWith(prefix) &&
    (name.length === prefix.length || prefix.endsWith('/') || name[prefix.length] === '/');
  return prefixes.length === 0 || prefixes.some(isIn);
}

/** Run in the borrowing repository, which the command may be a file of, with the path of the other; prints an id a line. */
async function listedBy(
  command: string,
  gitDirectory: string,
  { gitDirectory: borrower, format }: AlternateRefsContext,
  signal: AbortSignal | undefined,
): Promise<ObjectId[]> {
  let text = '';
  const program = {
    file: 'sh',
    args: ['-c', `${command} "$@"`, command, gitDirectory],
    directory: borrower,
    environment: hookEnvironment({ GIT_DIR: undefined }),
    label: 'core.alternateRefsCommand',
  };
  await runProgram(program, {
    signal,
    timeoutMs: COMMAND_TIMEOUT_MS,
    onOutput: async (part) => {
      text += part;
    },
  });
  return text.split('\n').filter((line) => isObjectId(line, format));
}
