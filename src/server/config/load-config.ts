/**
 * Reading the configuration of a server.
 *
 * @module
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { GitError } from '../../core/errors.ts';
import { isAbsent, storageError } from '../../core/node/storage-error.ts';
import { checkAccessFile } from './check-access-file.ts';
import { checkSettings, type Finding } from './check-config.ts';
import { checkFiles } from './check-files.ts';
import { checkSecrets } from './check-secrets.ts';
import { configSchema, type Settings } from './config-schema.ts';
import { JsonDocument } from './json-document.ts';
import { KNOWN_SETTINGS } from './known-settings.ts';
import { type FlagValue, type Layers, layersOf } from './layers.ts';
import {
  formatPath,
  formatProblem,
  hasErrors,
  inOrder,
  type Origin,
  type PathStep,
  type Problem,
} from './problem.ts';
import { memberNames, schemaProblems } from './schema-problems.ts';
import { type ServerConfig, serverConfigOf } from './server-config.ts';

export interface ConfigSources {
  /** Path of the configuration file. Without it there is none. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags?: readonly FlagValue[] | undefined;
  /** Absolute; relative paths that no file gives start here, and that of the file itself. */
  readonly directory: string;
}

/** What was read, right or wrong. */
export interface ConfigReading {
  /** Where values come from, in the order of the schema. */
  readonly problems: readonly Problem[];
  /** `undefined` when {@link problems} has errors that leave none. */
  readonly config: ServerConfig | undefined;
  /** Where the value at a setting's path was given. */
  originOf(path: readonly PathStep[]): Origin;
}

/** Longest configuration file, in bytes. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * @returns a configuration without errors
 * @throws {GitError} INVALID_ARGUMENT, with one line for each error in its message; STORAGE_FAILED when the file
 * cannot be read
 */
export async function loadServerConfig(
  sources: ConfigSources,
  onWarning: (problem: Problem) => void = () => undefined,
): Promise<ServerConfig> {
  const { config, problems } = await readServerConfig(sources);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (config === undefined || errors.length > 0) {
    const lines = errors.map((problem) => `\n  ${formatProblem(problem)}`);
    throw new GitError('INVALID_ARGUMENT', `Cannot use this configuration:${lines.join('')}`);
  }
  for (const problem of problems) onWarning(problem);
  return config;
}

/**
 * Read everything and say all that is wrong.
 *
 * @throws {GitError} STORAGE_FAILED, INVALID_ARGUMENT when the file itself cannot be read
 */
export async function readServerConfig(sources: ConfigSources): Promise<ConfigReading> {
  const { config, layers, problems } = await readSettings(sources);
  if (config === undefined) return { config, problems, originOf: layers.originOf };
  const findings = [
    ...(await checkFiles(config)),
    ...(await checkSecrets(config)),
    ...(await checkAccessFile(config)),
  ];
  const more = findings.map((finding) => ('origin' in finding ? finding : placed(finding, layers)));
  return { config, problems: [...problems, ...more], originOf: layers.originOf };
}

/**
 * As {@link readServerConfig}, but what settings name is not looked at: files that do not exist yet.
 *
 * @throws {GitError} as {@link readServerConfig}
 */
export async function readSettings({ file, environment, flags = [], directory }: ConfigSources): Promise<{
  readonly config: ServerConfig | undefined;
  readonly layers: Layers;
  readonly problems: readonly Problem[];
}> {
  const path = file === undefined ? undefined : resolve(directory, file);
  const document = path === undefined ? undefined : await readDocument(path);
  const layers = layersOf({ document, environment, flags });
  const said = [...(document?.problems ?? []), ...layers.problems];
  if (document !== undefined && hasErrors(document.problems))
    return { config: undefined, layers, problems: said };
  const parsed = configSchema.safeParse(layers.value);
  if (!parsed.success) {
    const wrong = schemaProblems(parsed.error, {
      value: layers.value,
      membersAt: (at) => memberNames(configSchema, at),
      elsewhere: settingEndingWith,
    }).map(({ path: at, sentence, unknown }): Problem => {
      const origin =
        unknown === undefined
          ? layers.placeOf(at)
          : (document?.originOfName(at, unknown) ?? layers.placeOf(at));
      return { severity: 'error', origin, setting: formatPath(at), sentence };
    });
    return { config: undefined, layers, problems: inOrder([...said, ...wrong]) };
  }
  const settings: Settings = parsed.data;
  const directoryOf = (setting: string): string => {
    const { kind } = layers.originOf(setting.split('.'));
    return path === undefined || kind === 'flag' || kind === 'environment' ? directory : dirname(path);
  };
  return {
    config: serverConfigOf(settings, directoryOf),
    layers,
    problems: inOrder([...said, ...checkSettings(settings).map((finding) => placed(finding, layers))]),
  };
}

async function readDocument(path: string): Promise<JsonDocument> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) {
      throw new GitError('INVALID_ARGUMENT', `Cannot read configuration '${path}': it is too large`);
    }
    return new JsonDocument(path, await readFile(path, 'utf8'));
  } catch (error) {
    if (isAbsent(error)) {
      throw new GitError('INVALID_ARGUMENT', `There is no configuration file '${path}'`, { path }, error);
    }
    throw storageError(error, `read configuration '${path}'`, path);
  }
}

function placed({ severity, path, sentence }: Finding, layers: Layers): Problem {
  return { severity, origin: layers.placeOf(path), setting: formatPath(path), sentence };
}

/** `http` is most likely `listen.http`. */
function settingEndingWith(name: string): string | undefined {
  const wanted = name.toLowerCase();
  return KNOWN_SETTINGS.find(({ path }) => path.at(-1)?.toLowerCase() === wanted)?.name;
}
