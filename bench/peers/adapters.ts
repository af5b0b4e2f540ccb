/**
 * Find, build and start the adapters in `programs/`. Each takes the same commands:
 *
 *     <adapter> version
 *     <adapter> ingest <git-dir>    a pack on standard input
 *     <adapter> serve <git-dir>     a fetch request on standard input
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { Dialect } from '../pack/requests.ts';
import { NotInstalled, type ReadyPeer } from './peer.ts';

const PROGRAMS = resolve(import.meta.dirname, 'programs');
const JARS = '/usr/share/java';
const DEBIAN_GO_PATH = '/usr/share/gocode';

/** What an adapter can do; its dialect, where it serves. */
export interface Abilities {
  readonly ingests: boolean;
  readonly serves?: Dialect | undefined;
}

export function buildC(directory: string, source: string, library: string): readonly string[] {
  const flags = output('pkg-config', ['--cflags', '--libs', library]).split(/\s+/);
  const program = join(directory, 'peer');
  output('cc', ['-O2', '-o', program, join(PROGRAMS, source), ...flags]);
  return [program];
}

export function buildJava(directory: string, mainClass: string, jars: readonly string[]): readonly string[] {
  const paths = jars.map((jar) => join(JARS, jar));
  for (const path of paths) if (!existsSync(path)) throw new NotInstalled(`${path} is not there`);
  output('javac', ['-cp', paths.join(delimiter), '-d', directory, join(PROGRAMS, `${mainClass}.java`)]);
  return ['java', '-cp', [...paths, directory].join(delimiter), mainClass];
}

/** Built against Debian's copies of Go libraries, which lie in a GOPATH; no module proxy is asked. */
export function buildGo(directory: string, source: string, library: string): readonly string[] {
  if (!existsSync(join(DEBIAN_GO_PATH, 'src', library))) throw new NotInstalled(`${library} is not there`);
  const program = join(directory, 'peer');
  const package_ = join(directory, 'src/peer');
  mkdirSync(package_, { recursive: true });
  copyFileSync(join(PROGRAMS, source), join(package_, 'main.go'));
  // Only a package that has a go.mod of its own may import paths with a /v5 in them from a GOPATH.
  writeFileSync(join(package_, 'go.mod'), 'module peer\n');
  output('go', ['build', '-o', program, '.'], {
    cwd: package_,
    env: {
      GOPATH: [directory, DEBIAN_GO_PATH].join(delimiter),
      GO111MODULE: 'off',
      GOCACHE: join(directory, 'cache'),
    },
  });
  return [program];
}

/** The first Python that has the library: a Python beside the system's often lacks the system's packages. */
export function findPython(source: string): readonly string[] {
  for (const python of ['python3', '/usr/bin/python3']) {
    const command = [python, join(PROGRAMS, source)];
    if (spawnSync(python, [...command.slice(1), 'version']).status === 0) return command;
  }
  throw new NotInstalled('no python3 has the library');
}

/** From `bench/peers/node_modules`. */
export function findNodePackage(name: string): readonly string[] {
  const folder = resolve(import.meta.dirname, 'node_modules', name);
  if (!existsSync(folder)) throw new NotInstalled(`${folder} is not there`);
  return [process.execPath, join(PROGRAMS, `${name}.mjs`)];
}

/** @throws {NotInstalled} when the adapter cannot even tell its version */
export function adapter(command: readonly string[], { ingests, serves }: Abilities): ReadyPeer {
  const [program, ...first] = command as [string, ...string[]];
  const start = (...args: string[]) => ({ command: program, args: [...first, ...args] });
  return {
    version: output(program, [...first, 'version']),
    ingest: ingests ? (target) => start('ingest', target) : undefined,
    serve:
      serves === undefined ? undefined : { dialect: serves, run: (repository) => start('serve', repository) },
  };
}

/**
 * What a program prints.
 *
 * @throws {NotInstalled} when it is not there or fails
 */
export function output(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
  });
  if (error !== undefined) throw new NotInstalled(`${command} cannot be started: ${error.message}`);
  if (status !== 0) {
    throw new NotInstalled(
      `${command} ${args[0] ?? ''}: ${stderr.trim().split('\n')[0] ?? `exit ${status}`}`,
    );
  }
  return stdout.trim();
}
