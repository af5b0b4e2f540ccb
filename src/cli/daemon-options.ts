/**
 * The arguments of git-daemon(1).
 *
 * @module
 */
import { statSync } from 'node:fs';
import { GitError } from '../core/errors.ts';
import type { DaemonService } from '../transport/git-daemon/request-line.ts';
import { usageError } from './arguments.ts';
import type { DaemonPaths } from './daemon-paths.ts';

interface ServiceRule {
  isEnabled: boolean;
  /** Whether repositories decide for themselves. */
  isOverridable: boolean;
}

export interface DaemonSettings {
  paths: DaemonPaths;
  readonly services: Record<DaemonService, ServiceRule>;
  readonly hosts: string[];
  port: number;
  exportAll: boolean;
  informativeErrors: boolean;
  isVerbose: boolean;
  logs: boolean;
  timeoutSeconds: number;
  initTimeoutSeconds: number;
  maxConnections: number;
  accessHook: string | undefined;
  pidFile: string | undefined;
  isInetd: boolean;
}

const DEFAULT_PORT = 9418;
const DEFAULT_MAX_CONNECTIONS = 32;

type Apply = (settings: DaemonSettings, value: string) => void;

/** Flags and what they set. */
const FLAGS: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ['verbose', (settings) => void (settings.isVerbose = true)],
  ['export-all', (settings) => void (settings.exportAll = true)],
  ['strict-paths', (settings) => void (settings.paths = { ...settings.paths, strictPaths: true })],
  ['base-path-relaxed', (settings) => void (settings.paths = { ...settings.paths, basePathRelaxed: true })],
  ['user-path', (settings) => void (settings.paths = { ...settings.paths, userPath: '' })],
  ['reuseaddr', () => undefined], // node always does
  ['informative-errors', (settings) => void (settings.informativeErrors = true)],
  ['no-informative-errors', (settings) => void (settings.informativeErrors = false)],
  ['inetd', (settings) => void (settings.isInetd = true)],
]);

const VALUES: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ['listen', (settings, value) => void settings.hosts.push(value.toLowerCase())],
  ['port', (settings, value) => void (settings.port = readPort(value))],
  ['base-path', (settings, value) => void (settings.paths = { ...settings.paths, basePath: value })],
  [
    'interpolated-path',
    (settings, value) => void (settings.paths = { ...settings.paths, interpolatedPath: value }),
  ],
  ['user-path', (settings, value) => void (settings.paths = { ...settings.paths, userPath: value })],
  ['timeout', (settings, value) => void (settings.timeoutSeconds = readSeconds(value, 'timeout'))],
  [
    'init-timeout',
    (settings, value) => void (settings.initTimeoutSeconds = readSeconds(value, 'init-timeout')),
  ],
  ['max-connections', (settings, value) => void (settings.maxConnections = readConnections(value))],
  ['access-hook', (settings, value) => void (settings.accessHook = value)],
  ['pid-file', (settings, value) => void (settings.pidFile = value)],
  ['log-destination', (settings, value) => void (settings.logs = readLogs(value))],
  ['enable', (settings, value) => void (rule(settings, value).isEnabled = true)],
  ['disable', (settings, value) => void (rule(settings, value).isEnabled = false)],
  ['allow-override', (settings, value) => void (rule(settings, value).isOverridable = true)],
  ['forbid-override', (settings, value) => void (rule(settings, value).isOverridable = false)],
]);

/** Options end at the first directory, as for git. @throws {GitError} INVALID_ARGUMENT */
export function readDaemonSettings(args: readonly string[]): DaemonSettings {
  const settings: DaemonSettings = {
    paths: { basePathRelaxed: false, strictPaths: false, directories: [] },
    services: {
      'upload-archive': { isEnabled: false, isOverridable: true },
      'upload-pack': { isEnabled: true, isOverridable: true },
      'receive-pack': { isEnabled: false, isOverridable: true },
    },
    hosts: [],
    port: DEFAULT_PORT,
    exportAll: false,
    informativeErrors: false,
    isVerbose: false,
    logs: true,
    timeoutSeconds: 0,
    initTimeoutSeconds: 0,
    maxConnections: DEFAULT_MAX_CONNECTIONS,
    accessHook: undefined,
    pidFile: undefined,
    isInetd: false,
  };
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === '--') at++;
    if (arg === '--' || !arg.startsWith('-')) break;
    const [, name = '', value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const set = value === undefined ? FLAGS.get(name) : VALUES.get(name);
    if (set === undefined) throw usageError(`Unknown option '${arg}'`);
    set(settings, value ?? '');
  }
  settings.paths = { ...settings.paths, directories: args.slice(at) };
  check(settings);
  return settings;
}

function check({ paths, isInetd, hosts, port }: DaemonSettings): void {
  if (isInetd && (hosts.length > 0 || port !== DEFAULT_PORT)) {
    throw fatal('--listen= and --port= are incompatible with --inetd');
  }
  if (paths.strictPaths && paths.directories.length === 0) {
    throw fatal("option --strict-paths requires '<directory>' arguments");
  }
  if (
    paths.basePath !== undefined &&
    statSync(paths.basePath, { throwIfNoEntry: false })?.isDirectory() !== true
  ) {
    throw fatal(`base-path '${paths.basePath}' does not exist or is not a directory`);
  }
}

function rule({ services }: DaemonSettings, name: string): ServiceRule {
  if (!Object.hasOwn(services, name)) throw fatal(`No such service ${name}`);
  return services[name as DaemonService];
}

function readSeconds(text: string, option: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw fatal(`invalid ${option} '${text}', expecting a non-negative integer`);
}

function readConnections(text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Math.max(0, Number(text));
  throw fatal(`invalid max-connections '${text}', expecting an integer`);
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port === 0 ? DEFAULT_PORT : port;
  throw usageError(`Option '--port' wants a number up to 65535, got '${text}'`);
}

function readLogs(text: string): boolean {
  if (text === 'stderr' || text === 'none') return text === 'stderr';
  throw fatal(
    text === 'syslog' ? "log destination 'syslog' is not supported" : `unknown log destination '${text}'`,
  );
}

function fatal(message: string): GitError {
  return new GitError('INVALID_ARGUMENT', message);
}
