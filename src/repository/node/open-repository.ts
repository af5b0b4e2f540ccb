/**
 * Opening an ordinary Git repository on disk.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { yieldToOthers } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';
import { nodeRuntime } from '../../core/node/runtime.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { Runtime } from '../../core/runtime.ts';
import { objectIdOf } from '../../odb/loose-object.ts';
import { openFilesObjectDatabase } from '../../odb/node/files-object-database.ts';
import type { ObjectDatabase } from '../../odb/object-database.ts';
import type { TaskPool } from '../../pack/task-pool.ts';
import { openFilesRefDatabase } from '../../refs/node/files-ref-database.ts';
import type { LogAllRefUpdates } from '../../refs/reflog-format.ts';
import type { GitConfig } from '../git-config.ts';
import { packSharing } from '../pack-sharing/pack-sharing.ts';
import type { Repository } from '../repository.ts';
import { checkRepositoryFormat } from '../repository-format.ts';
import { parseShallowFile } from '../shallow-file.ts';
import { peelObject } from '../tag.ts';
import { alternateTips } from './alternate-refs.ts';
import type { ConfigSources } from './config/config-sources.ts';
import { readConfig } from './config/read-config.ts';
import { sharedPermissions } from './config/shared-repository.ts';
import { syncedComponents } from './config/synced-components.ts';
import { findGitDirectory, orAbsent } from './git-directory.ts';
import { FilesHooks } from './hooks/files-hooks.ts';
import { FilesWorkTrees } from './hooks/files-work-trees.ts';
import { type AdmitMaintenance, maintenanceOf } from './hooks/maintenance.ts';
import { packObjectsHook } from './hooks/pack-objects-hook.ts';
import { promisedObjects } from './hooks/promised-objects.ts';
import { signaturePrograms } from './hooks/signature-programs.ts';
import { FilesShallowRoots } from './shallow-roots.ts';
import { spoolsIn } from './spool-file.ts';

export interface OpenRepositoryOptions {
  /** Default: Node's own zlib and crypto. */
  readonly runtime?: Runtime | undefined;
  /** Threads for heavy work; without them it is done in this one. They stay the caller's. */
  readonly tasks?: TaskPool | undefined;
  /** Told of each ref that a listing leaves out because its file holds no ref. */
  readonly onBrokenRef?: ((name: string) => void) | undefined;
  /** Told once of each pack, alternate, bitmap or other object file that cannot be used and is passed over. */
  readonly onWarning?: ((warning: GitError) => void) | undefined;
  /**
   * An existing directory, on a disk with room, for packs that several clients take at their own pace; the files have no
   * names there. Default: the repository's objects directory.
   */
  readonly spoolDirectory?: string | undefined;
  /**
   * Whether git's own hooks are run in pushes: `own`, the default, those of repositories that belong to the user of this
   * process, a push into another that has hooks is refused; `any`, those of all; `none` passes over them. Whoever can
   * write the repository's configuration or hooks directory can run programs as this process.
   */
  readonly hooks?: 'own' | 'any' | 'none' | undefined;
  /**
   * Configuration beside the repository's own that counts: of the machine, of the user, of a command. Default none, so
   * that what a server does is not decided by files of whoever starts it; `configSources(process.env)` is what git reads.
   */
  readonly configSources?: ConfigSources | undefined;
  /**
   * Whether the installed git may do its housekeeping after pushes, as `receive.autogc` wants it. Default false. Whoever
   * says how much of it runs at once is asked each time.
   */
  readonly maintenance?: boolean | AdmitMaintenance | undefined;
  /**
   * Whether the installed git may fetch, from the promisor remotes of a partial clone, what fetches from it miss, and makes
   * their packs then. Clients decide what is fetched. Default false, as `git upload-pack` has it (`GIT_NO_LAZY_FETCH`).
   */
  readonly lazyFetch?: boolean | undefined;
}

/** A repository of files: its directory, and what its configuration says. */
export interface FilesRepository extends Repository {
  readonly path: string;
  /** As it was when the repository was opened: its own files and the {@link OpenRepositoryOptions.configSources}. */
  readonly config: GitConfig;
  /** Whether all files of the configuration but the repository's `config` are as they were then. */
  isConfigCurrent(): boolean;
}

/**
 * Open a bare repository, or the `.git` of a work tree: a directory, or a file that says `gitdir: `.
 *
 * @throws {GitError} REPOSITORY_NOT_FOUND when there is nothing at `path`; REPOSITORY_INVALID when what is there is
 * no repository or its config does not parse; UNSUPPORTED for a format or extension that is not read here;
 * STORAGE_FAILED
 */
export async function openRepository(
  path: string,
  options: OpenRepositoryOptions = {},
): Promise<FilesRepository> {
  const { runtime = nodeRuntime, tasks, onBrokenRef, onWarning, spoolDirectory, hooks } = options;
  const directory = await findGitDirectory(path);
  const { own, all: config, isCurrent } = await readConfig(directory, options.configSources ?? {});
  const format = checkRepositoryFormat(own);
  const promised = options.lazyFetch === true ? promisedObjects(directory, config) : undefined;
  const synced = syncedComponents(config);
  const shared = sharedPermissions(config);
  const objects = await openFilesObjectDatabase(join(directory, 'objects'), {
    format,
    runtime,
    tasks,
    onWarning,
    fsync: synced,
    shared,
    looseCompression: looseCompression(config),
    shortCuts: {
      bitmaps: config.getBoolean('pack.usebitmaps') ?? true,
      multiPackIndex: config.getBoolean('core.multipackindex') ?? true,
      commitGraph: config.getBoolean('core.commitgraph') ?? true,
    },
  });
  const refs = await openFilesRefDatabase(directory, {
    format,
    logAllRefUpdates: logAllRefUpdates(config),
    fsync: synced.references,
    shared,
    refLockTimeoutMs: timeoutMs(config, 'core.filesreflocktimeout'),
    packedRefsTimeoutMs: timeoutMs(config, 'core.packedrefstimeout'),
    peelTags: (ids, { signal }) => peelTags(objects, ids, signal),
    onBrokenRef,
  });
  return {
    format,
    objects,
    refs,
    runtime,
    config,
    isConfigCurrent: isCurrent,
    label: directory,
    path: directory,
    packProgram: packObjectsHook(directory, config) ?? promised?.packProgram,
    ...(promised && { fetchPromised: promised.fetch }),
    createSpool: spoolsIn(spoolDirectory ?? join(directory, 'objects')),
    ...programsOf({ directory, config, format, runtime }, options),
    alternateTips: (cancellable) =>
      alternateTips({ gitDirectory: directory, config, format, runsPrograms: hooks !== 'none' }, cancellable),
    async shallowCommits() {
      // Most have none: seen at once, ten times cheaper than by a promise that fails.
      if (!existsSync(join(directory, 'shallow'))) return NONE_SHALLOW;
      const text = await orAbsent(readFile(join(directory, 'shallow'), 'utf8'));
      return parseShallowFile(text ?? '', format);
    },
    shallowRoots: new FilesShallowRoots(directory, format, { fsync: synced.references, shared }),
    readTextFile: (path) => orAbsent(readFile(resolve(directory, path), 'utf8')),
    async [Symbol.asyncDispose]() {
      packSharing.forget(objects);
      await Promise.all([objects.close(), refs.close()]);
    },
  };
}

/** What is run beside the repository, as far as it is wanted. */
function programsOf(
  {
    directory,
    config,
    format,
    runtime,
  }: Pick<Repository, 'format' | 'runtime'> & {
    readonly directory: string;
    readonly config: GitConfig;
  },
  { hooks = 'own', maintenance = false, configSources: sources = {} }: OpenRepositoryOptions,
): Pick<Repository, 'hooks' | 'workTrees' | 'afterPush' | 'verifySignature'> {
  const emptyTree = objectIdOf(format, 'tree', new Uint8Array(0), runtime);
  return {
    hooks:
      hooks === 'none'
        ? undefined
        : new FilesHooks(directory, config, { anyOwner: hooks === 'any', home: sources.home }),
    workTrees: new FilesWorkTrees(directory, config, emptyTree),
    afterPush: maintenance
      ? maintenanceOf(directory, config, maintenance === true ? undefined : maintenance)
      : undefined,
    verifySignature: hooks === 'none' ? undefined : signaturePrograms(directory, config, sources.home),
  };
}

/** An object that is missing is no tag: what a ref may point at is decided before it is written. */
async function peelTags(
  objects: ObjectDatabase,
  ids: readonly ObjectId[],
  signal: AbortSignal | undefined,
): Promise<(ObjectId | undefined)[]> {
  const reader = await objects.openReader({ signal });
  try {
    const peeled: (ObjectId | undefined)[] = [];
    for (const [index, id] of ids.entries()) {
      if (index % PEELED_AT_ONCE === 0) await yieldToOthers();
      const object = reader.readHeader(id)?.kind === 'tag' ? peelObject(reader, id) : undefined;
      peeled.push(object?.id);
    }
    return peeled;
  } finally {
    reader.release();
  }
}

/** A tag takes some ten microseconds to read. */
const PEELED_AT_ONCE = 500;

/** Unset, a repository with a work tree logs its branches and a bare one nothing. */
function logAllRefUpdates(config: GitConfig): LogAllRefUpdates {
  const value = config.get('core.logallrefupdates');
  if (value?.toLowerCase() === 'always') return 'always';
  const isLogged = config.getBoolean('core.logallrefupdates') ?? config.getBoolean('core.bare') === false;
  return isLogged ? 'branches' : 'never';
}

/** The level of zlib for loose objects, which `core.compression` is a default for. */
function looseCompression(config: GitConfig): number | undefined {
  const name =
    config.get('core.loosecompression') === undefined ? 'core.compression' : 'core.loosecompression';
  const level = config.getInteger(name);
  if (level === undefined || (level >= -1 && level <= 9)) return level;
  throw new GitError(
    'REPOSITORY_INVALID',
    `Cannot read config: bad zlib compression level ${level} in ${name}`,
  );
}

/** Negative means "for ever" to git: an hour is that to a client. */
function timeoutMs(config: GitConfig, name: string): number | undefined {
  const value = config.getInteger(name);
  return value !== undefined && value < 0 ? FOR_EVER_MS : value;
}

const FOR_EVER_MS = 3_600_000;

const NONE_SHALLOW: ReadonlySet<ObjectId> = new Set();
