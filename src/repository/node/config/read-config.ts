/**
 * The configuration of a repository: system, global, local, work tree, command, in this order, each with what it
 * includes in place. Of several values of one name the last holds, so the later stand before the earlier.
 * Spec: git-config(1), "FILES", "Includes".
 *
 * @module
 */
import type { Stats } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { GitError } from '../../../core/errors.ts';
import { type ConfigEntry, type ConfigScope, GitConfig, parseGitConfig } from '../../git-config.ts';
import { isSameFile, lookAt } from '../file-identity.ts';
import { orAbsent } from '../git-directory.ts';
import { expandHome } from './config-path.ts';
import type { ConfigSources } from './config-sources.ts';
import { type IncludeContext, isIncluded } from './include-condition.ts';

/** git's MAX_INCLUDE_DEPTH. */
const MAX_DEPTH = 10;
/** Files read for one repository: includes that fan out would read the same ones for ever. */
const MAX_FILES = 1000;
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export interface RepositoryConfig {
  /** The repository's own file alone, without what it includes: only this decides about its format. */
  readonly own: GitConfig;
  /** Everything. */
  readonly all: GitConfig;
  /** Whether all that was read, `config` itself left out, is still as it was, and what was absent still is. */
  isCurrent(): boolean;
}

/**
 * @throws {GitError} REPOSITORY_INVALID for a file that does not parse, with `detail.path` and `detail.line`, and for
 * includes that go too deep; STORAGE_FAILED for one that cannot be read
 */
export async function readConfig(gitDirectory: string, sources: ConfigSources): Promise<RepositoryConfig> {
  const reading = new Reading(gitDirectory, sources);
  const ownFile = join(gitDirectory, 'config');
  const own = new GitConfig(await reading.entriesOf(ownFile, 'local'));
  const entries = await reading.everything(own);
  reading.seen.delete(ownFile);
  return {
    own,
    all: new GitConfig(entries),
    isCurrent: () => {
      for (const [path, file] of reading.seen) if (!isSameFile(file, lookAt(path))) return false;
      return true;
    },
  };
}

/** Where an entry stands: in which file, and how many includes deep. */
interface Place {
  readonly file: string | undefined;
  readonly depth: number;
}

class Reading {
  /** What was found at each path before it was read. */
  readonly seen = new Map<string, Stats | undefined>();
  readonly #gitDirectory: string;
  readonly #sources: ConfigSources;
  readonly #texts = new Map<string, readonly ConfigEntry[]>();
  #fileCount = 0;
  #remoteUrls: Promise<readonly string[]> | undefined;

  constructor(gitDirectory: string, sources: ConfigSources) {
    this.#gitDirectory = gitDirectory;
    this.#sources = sources;
  }

  /** @param takesAll conditional includes are followed for the remotes that others name, and must name none themselves */
  async everything(own: GitConfig, takesAll = false): Promise<ConfigEntry[]> {
    const { systemFile, globalFiles = [], command = [] } = this.#sources;
    const out: ConfigEntry[] = [];
    const file = async (path: string, scope: ConfigScope): Promise<void> =>
      this.#resolve(await this.entriesOf(path, scope), { file: path, depth: 0 }, out, own, takesAll);
    if (systemFile !== undefined && systemFile !== '') await file(systemFile, 'system');
    for (const path of globalFiles) if (path !== '') await file(path, 'global');
    await file(join(this.#gitDirectory, 'config'), 'local');
    if (own.getBoolean('extensions.worktreeconfig') === true) {
      await file(join(this.#gitDirectory, 'config.worktree'), 'worktree');
    }
    const commands = command.map((entry) => ({ ...entry, scope: 'command' as const }));
    await this.#resolve(commands, { file: undefined, depth: 0 }, out, own, takesAll);
    return out;
  }

  /** The entries of one file, without what it includes; none where nothing is, or nothing the user may read. */
  async entriesOf(path: string, scope: ConfigScope): Promise<readonly ConfigEntry[]> {
    const key = `${scope} ${path}`;
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const found = lookAt(path);
    if (!this.seen.has(path)) this.seen.set(path, found);
    if (found !== undefined && found.size > MAX_FILE_BYTES) throw unusable(path, 'it is too large');
    const forgives = scope === 'system' || scope === 'global' ? ['EACCES'] : [];
    const text = (await orAbsent(readFile(path, 'utf8'), ...forgives)) ?? '';
    const entries = parseFile(text, path).map((entry) => ({ ...entry, scope }));
    this.#texts.set(key, entries);
    return entries;
  }

  async #resolve(
    entries: readonly ConfigEntry[],
    place: Place,
    out: ConfigEntry[],
    own: GitConfig,
    takesAll: boolean,
    namesNoRemote = false,
  ): Promise<void> {
    if (++this.#fileCount > MAX_FILES) throw unusable(place.file, 'too many files are included');
    for (const entry of entries) {
      if (namesNoRemote && REMOTE_URL.test(entry.name)) {
        throw unusable(place.file, 'remote URLs cannot be configured in what includeIf.hasconfig includes');
      }
      out.push(entry);
      const condition = /^includeif\.(.+)\.path$/s.exec(entry.name)?.[1];
      const isConditional = condition !== undefined;
      if (!isConditional && entry.name !== 'include.path') continue;
      if (isConditional && !(await this.#isTrue(condition, place, own, takesAll))) continue;
      const path = this.#includedPath(entry, place);
      const included = await this.entriesOf(path, entry.scope ?? 'local');
      if (lookAt(path) === undefined) continue;
      if (place.depth === MAX_DEPTH) throw unusable(path, `exceeded maximum include depth (${MAX_DEPTH})`);
      const next = { file: path, depth: place.depth + 1 };
      await this.#resolve(included, next, out, own, takesAll, namesNoRemote || (isConditional && takesAll));
    }
  }

  async #isTrue(condition: string, { file }: Place, own: GitConfig, takesAll: boolean): Promise<boolean> {
    if (takesAll && condition.startsWith('hasconfig:remote.*.url:')) return true;
    const context: IncludeContext = {
      gitDirectory: this.#gitDirectory,
      home: this.#sources.home,
      remoteUrls: () => {
        this.#remoteUrls ??= this.everything(own, true).then(urlsOf);
        return this.#remoteUrls;
      },
      onRead: (path) => {
        if (!this.seen.has(path)) this.seen.set(path, lookAt(path));
      },
    };
    return isIncluded(condition, file, context);
  }

  #includedPath({ name, value }: ConfigEntry, { file }: Place): string {
    if (value === undefined) throw unusable(file, `missing value for '${name}'`);
    const path = expandHome(value, this.#sources.home);
    if (path === undefined) throw unusable(file, `could not expand include path '${value}'`);
    if (isAbsolute(path)) return path;
    if (file === undefined) throw unusable(file, 'relative config includes must come from files');
    return join(dirname(file), path);
  }
}

const REMOTE_URL = /^remote\..+\.url$/s;

function urlsOf(entries: readonly ConfigEntry[]): string[] {
  return entries.filter(({ name }) => REMOTE_URL.test(name)).map(({ value }) => value ?? '');
}

function parseFile(text: string, path: string): readonly ConfigEntry[] {
  try {
    return parseGitConfig(text).entries;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new GitError(error.code, `${error.message} of ${path}`, { ...error.detail, path }, error);
  }
}

function unusable(path: string | undefined, reason: string): GitError {
  const where = path ?? 'the command line';
  return new GitError('REPOSITORY_INVALID', `Cannot read config: ${reason}, in ${where}`, { path: where });
}
