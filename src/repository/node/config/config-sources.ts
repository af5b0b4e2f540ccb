/**
 * Which configuration counts beside the repository's own. An application says so; git's commands take it from their
 * environment.
 * Spec: git-config(1), "FILES", "ENVIRONMENT"; decision 18.
 *
 * @module
 */
import { join } from 'node:path';
import { configParameters, type Environment } from '../../config-parameters.ts';
import type { ConfigEntry } from '../../git-config.ts';

/** Files that do not exist are passed over. Nothing of it: only the repository's own files are read. */
export interface ConfigSources {
  /** The configuration of the machine. */
  readonly systemFile?: string | undefined;
  /** Those of the user, of which the later stands before the earlier. */
  readonly globalFiles?: readonly string[] | undefined;
  /** What stands before all files, as `git -c`; see {@link commandEntry}. */
  readonly command?: readonly ConfigEntry[] | undefined;
  /** The directory that `~/` means. Without one such a path cannot be used. */
  readonly home?: string | undefined;
}

const SYSTEM_FILE = '/etc/gitconfig';

/**
 * What git would read in `environment`, such as `process.env`.
 *
 * @throws {GitError} INVALID_ARGUMENT when variables of it do not parse
 */
export function configSources(environment: Environment): ConfigSources {
  const home = environment.HOME;
  return {
    systemFile: isTrue(environment.GIT_CONFIG_NOSYSTEM)
      ? undefined
      : (environment.GIT_CONFIG_SYSTEM ?? SYSTEM_FILE),
    globalFiles: globalFiles(environment),
    command: configParameters(environment),
    home,
  };
}

function globalFiles({ GIT_CONFIG_GLOBAL: only, HOME: home, XDG_CONFIG_HOME: xdg }: Environment): string[] {
  if (only !== undefined) return [only];
  const xdgHome = xdg !== undefined && xdg !== '' ? xdg : home && join(home, '.config');
  return [...(xdgHome ? [join(xdgHome, 'git', 'config')] : []), ...(home ? [join(home, '.gitconfig')] : [])];
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(?:true|yes|on|[+-]?0*[1-9]\d*)$/i.test(value);
}

/** An entry for {@link ConfigSources.command}: `commandEntry('uploadpack.allowFilter', 'true')`. */
export function commandEntry(name: string, value: string): ConfigEntry {
  const [entry] = configParameters({
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: name,
    GIT_CONFIG_VALUE_0: value,
  });
  return entry as ConfigEntry;
}
