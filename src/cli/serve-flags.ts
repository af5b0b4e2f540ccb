/**
 * The options of `packwire serve`, as settings of its configuration.
 *
 * @module
 */
import type { FlagValue } from '../server/config/layers.ts';
import { readArguments, usageError } from './arguments.ts';

/** For the help of every command that takes them. */
export const SERVE_OPTIONS = `
    --config=<file>       the configuration file; options and PACKWIRE_… variables go before what it says
    --http=[<host>:]<port>
                          where to listen: 127.0.0.1:8080 by default; may be given more than once; port 0
                          takes a free one and says which
    --https=[<host>:]<port>
                          the same with TLS, whose certificate and key the configuration names
    --ssh=[<host>:]<port>  the same for SSH, for those whose keys are in the access file
    --git=[<host>:]<port>  serve fetches and archives over git:// too, without pushes
    --access=<file>       users, tokens and keys, as 'packwire user', 'packwire token' and 'packwire key' write them
    --insecure-anonymous  whoever reaches a port may do everything, also from other machines
    --create              make a bare repository on the first push to a new name, and <root> itself
    --read-only           refuse pushes
    --want=<policy>       what clients may fetch by id: advertised (tips of refs), reachable (from them; the
                          default) or any; when it is given, only with any is there the dumb protocol
    --no-dumb             no dumb protocol: its clients copy every object, whether refs reach it or not
    --deny-deletes, --deny-non-fast-forwards
                          refuse pushes that delete branches, or that rewrite them
    --no-hooks            run no program of a repository: neither its hooks nor git's maintenance
    --any-owner           run hooks of repositories that belong to other users too; pushes there are refused otherwise
    --max-pack-size=<n>   refuse pushes of packs above <n> bytes (k, m and g are understood)
    --max-object-size=<n> refuse pushes with larger objects
    --no-collision-detection
                          do not look for SHA-1 collision attacks in pushes: for trusted pushers
    --idle-timeout=<n>    cut a client that neither sends nor reads for <n> seconds (120)
    --cache-bytes=<n>     what is kept in memory for later requests: refs, indexes, closures (128m)
    --keep-open=<n>       close a repository that nobody has used for <n> seconds (300)
    --drain-timeout=<n>   after SIGTERM or SIGINT, wait <n> seconds for running requests (10)
    -q, --quiet           no line for each request`;

export interface ServeFlags {
  /** Path of the configuration file. */
  readonly file: string | undefined;
  readonly flags: readonly FlagValue[];
  readonly positionals: readonly string[];
}

type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** Options whose value is that of a setting. */
const SETTINGS: Readonly<Record<string, string>> = {
  http: 'listen.http',
  https: 'listen.https',
  ssh: 'listen.ssh',
  git: 'listen.git',
  access: 'access.file',
  'insecure-anonymous': 'access.insecureAnonymous',
  create: 'create',
  'read-only': 'readOnly',
  want: 'fetch.wants',
  'deny-deletes': 'push.denyDeletes',
  'deny-non-fast-forwards': 'push.denyNonFastForwards',
  'collision-detection': 'push.collisionDetection',
  'max-pack-size': 'limits.maxPackBytes',
  'max-object-size': 'limits.maxObjectBytes',
  'cache-bytes': 'cacheBytes',
};

/** Options in seconds; with a unit they may be others. */
const SECONDS: Readonly<Record<string, string>> = {
  'idle-timeout': 'limits.idleTimeoutMs',
  'keep-open': 'keepOpenMs',
  'drain-timeout': 'drainMs',
};

/** @throws {GitError} a usage error for options that do not exist; their values are looked at with the rest */
export function readServeFlags(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ServeFlags {
  const { values, positionals } = readArguments(args, {
    config: { type: 'string' },
    http: { type: 'string', multiple: true },
    https: { type: 'string', multiple: true },
    ssh: { type: 'string', multiple: true },
    git: { type: 'string', multiple: true },
    access: { type: 'string' },
    'insecure-anonymous': { type: 'boolean' },
    create: { type: 'boolean' },
    'read-only': { type: 'boolean' },
    want: { type: 'string' },
    dumb: { type: 'boolean' },
    'deny-deletes': { type: 'boolean' },
    'deny-non-fast-forwards': { type: 'boolean' },
    'collision-detection': { type: 'boolean' },
    hooks: { type: 'boolean' },
    'any-owner': { type: 'boolean' },
    'max-pack-size': { type: 'string' },
    'max-object-size': { type: 'string' },
    'idle-timeout': { type: 'string' },
    'cache-bytes': { type: 'string' },
    'keep-open': { type: 'string' },
    'drain-timeout': { type: 'string' },
    quiet: { type: 'boolean', short: 'q' },
  });
  return { file: configFileOf(values.config, environment), flags: flagsOf(values as Values), positionals };
}

/** The flag for a directory that is served. */
export function rootFlag(root: string): FlagValue {
  return { setting: 'root', flag: '<root>', value: root };
}

/** @returns the path of the configuration file: that of `--config`, else of PACKWIRE_CONFIG; `undefined` for none */
export function configFileOf(
  option: string | undefined,
  { PACKWIRE_CONFIG }: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (option === '') throw usageError("Option '--config' wants a file");
  return option ?? (PACKWIRE_CONFIG === '' ? undefined : PACKWIRE_CONFIG);
}

function flagsOf(values: Values): FlagValue[] {
  const flags: FlagValue[] = [];
  const add = (setting: string, name: string, value: FlagValue['value']): void => {
    flags.push({ setting, flag: `--${name}`, value });
  };
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const value = values[name];
    if (value !== undefined) add(setting, name, value as FlagValue['value']);
  }
  for (const [name, setting] of Object.entries(SECONDS)) {
    const value = values[name];
    if (typeof value === 'string') add(setting, name, /^\d+$/.test(value) ? `${value}s` : value);
  }
  if (values.hooks === false) add('hooks', 'no-hooks', 'none');
  else if (values['any-owner'] === true) add('hooks', 'any-owner', 'any');
  else if (values.hooks === true || values['any-owner'] === false) add('hooks', 'hooks', 'own');
  if (values.quiet !== undefined) add('accessLog', 'quiet', values.quiet !== true);
  if (typeof values.dumb === 'boolean') add('fetch.dumb', values.dumb ? 'dumb' : 'no-dumb', values.dumb);
  return flags;
}
