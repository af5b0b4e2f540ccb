/**
 * The arguments of `packwire index-pack`, understood.
 *
 * @module
 */
import { resolve } from 'node:path';
import type { ProgressListener } from '../core/byte-stream.ts';
import { GitError } from '../core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/limits.ts';
import type { SharedPermissions } from '../core/node/shared-permissions.ts';
import { type ObjectFormat, objectFormatByName } from '../core/object-id.ts';
import type { FsckRules } from '../pack/fsck/rules.ts';
import { progressText } from '../protocol/progress-text.ts';
import { configSources } from '../repository/node/config/config-sources.ts';
import { sharedPermissions } from '../repository/node/config/shared-repository.ts';
import { openRepository } from '../repository/node/files-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { readArguments, readCount, readSizeBytes, usageError } from './arguments.ts';
import type { CommandWorld } from './command.ts';
import { discoverRepository } from './find-repository.ts';
import { strictRules } from './strict-check.ts';

/** What one run is to do, its arguments understood. */
export interface IndexPackJob {
  readonly source: 'input' | 'file' | 'verify';
  /** Present unless the name is to be made from the pack's content. */
  readonly packPath: string | undefined;
  readonly indexPath: string | undefined;
  readonly reverseIndex: boolean;
  readonly fixThin: boolean;
  readonly keepMessage: string | undefined;
  /** The one worked in, if any. */
  readonly repository: Repository | undefined;
  /** Who else may use what is written, as the repository says. */
  readonly shared: SharedPermissions | undefined;
  readonly format: ObjectFormat;
  readonly limits: Limits;
  readonly collisionDetection: boolean;
  /** Check the pack's objects by these. */
  readonly fsck: FsckRules | undefined;
  readonly threads: number;
  readonly onProgress: ProgressListener | undefined;
}

/**
 * Read the arguments and find the repository they are about, which the caller disposes.
 *
 * @throws {GitError} a usage error; INVALID_ARGUMENT, REPOSITORY_NOT_FOUND or UNSUPPORTED
 */
export async function readIndexPackJob(args: readonly string[], world: CommandWorld): Promise<IndexPackJob> {
  const { values, positionals } = readArguments(
    args,
    {
      stdin: { type: 'boolean' },
      'fix-thin': { type: 'boolean' },
      output: { type: 'string', short: 'o' },
      verify: { type: 'boolean' },
      keep: { type: 'string' },
      'rev-index': { type: 'boolean' },
      threads: { type: 'string' },
      'max-input-size': { type: 'string', default: '0' },
      'object-format': { type: 'string' },
      verbose: { type: 'boolean', short: 'v' },
      progress: { type: 'boolean' },
      strict: { type: 'string' },
      'fsck-objects': { type: 'string' },
      'collision-detection': { type: 'boolean', default: true },
    },
    ['keep', 'strict', 'fsck-objects'],
  );
  const [name, ...more] = positionals;
  const stdin = values.stdin === true;
  if (more.length > 0) throw usageError('Expected one pack');
  if (name === undefined && !stdin) throw usageError('Expected a pack, or --stdin');
  if (stdin && values.verify === true) throw usageError('--verify cannot be used with --stdin');
  if (values['fix-thin'] === true && !stdin) throw usageError("the option '--fix-thin' requires '--stdin'");

  const packPath =
    name === undefined ? undefined : resolve(world.directory, withPackSuffix(name, values.verify === true));
  const output = values.output === undefined ? undefined : resolve(world.directory, values.output);
  const maxPackBytes = readSizeBytes(values['max-input-size'], 'max-input-size');
  const askedThreads = values.threads === undefined ? undefined : readCount(values.threads, 'threads');
  const wantsProgress = values.progress ?? (values.verbose === true || world.isTerminal);
  const { repository, format } = await findFormat(
    values['object-format'],
    packPath,
    values['fix-thin'] === true,
    world,
  );
  const config = repository?.config;
  return {
    source: stdin ? 'input' : values.verify === true ? 'verify' : 'file',
    packPath,
    indexPath: output ?? (packPath === undefined ? undefined : indexPathOf(packPath)),
    reverseIndex: values['rev-index'] ?? config?.getBoolean('pack.writereverseindex') ?? true,
    fixThin: values['fix-thin'] === true,
    keepMessage: values.keep,
    repository,
    shared: config && sharedPermissions(config),
    format,
    limits: maxPackBytes === 0 ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, maxPackBytes },
    collisionDetection: values['collision-detection'],
    fsck: strictRules(values.strict, values['fsck-objects']),
    threads: askedThreads ?? Math.max(0, config?.getInteger('pack.threads') ?? 0),
    onProgress: wantsProgress ? progressOn(world, stdin ? undefined : 'Indexing objects') : undefined,
  };
}

/** git verifies `<pack>.idx` and `<pack>` too. */
function withPackSuffix(name: string, verify: boolean): string {
  if (!verify || name.endsWith('.pack')) return name;
  return `${name.replace(/\.idx$/, '')}.pack`;
}

/** @throws {GitError} INVALID_ARGUMENT when `packPath` does not end with `.pack` */
export function indexPathOf(packPath: string): string {
  if (packPath.endsWith('.pack')) return packPath.replace(/\.pack$/, '.idx');
  throw new GitError('INVALID_ARGUMENT', `packfile name '${packPath}' does not end with '.pack'`);
}

/** The repository we are in and the format of its objects; outside one, the format asked for. */
async function findFormat(
  asked: string | undefined,
  packPath: string | undefined,
  fixThin: boolean,
  world: CommandWorld,
): Promise<{ readonly repository: Repository | undefined; readonly format: ObjectFormat }> {
  const path = await discoverRepository(world.directory, world.environment);
  if (path === undefined && (packPath === undefined || fixThin)) {
    const what = fixThin ? '--fix-thin' : '--stdin without a pack name';
    throw new GitError('REPOSITORY_NOT_FOUND', `${what} requires a git repository`);
  }
  const repository =
    path === undefined
      ? undefined
      : await openRepository(path, { configSources: configSources(world.environment) });
  const format =
    asked === undefined ? (repository?.format ?? objectFormatByName('sha1')) : objectFormatByName(asked);
  if (packPath === undefined && repository !== undefined && format !== repository.format) {
    await repository[Symbol.asyncDispose]();
    throw new GitError(
      'UNSUPPORTED',
      `cannot store a ${format.name} pack: the repository has ${repository.format.name}`,
    );
  }
  return { repository, format };
}

function progressOn(world: CommandWorld, receivingTitle: string | undefined): ProgressListener {
  const listener = progressText((text) => void world.errors.write(text));
  if (receivingTitle === undefined) return listener;
  return (progress) => {
    // A file is not received: git calls its first phase otherwise, and shows no throughput.
    if (progress.title !== 'Receiving objects') listener(progress);
    else listener({ ...progress, title: receivingTitle, bytes: undefined });
  };
}
