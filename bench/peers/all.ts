/**
 * Every peer that is measured, in the order of the report.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Run } from '../pack/measure.ts';
import { adapter, buildC, buildGo, buildJava, findNodePackage, findPython, output } from './adapters.ts';
import { NotInstalled, type Peer } from './peer.ts';

const GO_GIT_PACKAGE = 'golang-github-go-git-go-git-dev';
const NPM_INSTALL = 'npm run bench:peers -- --install';

/** The peer that ratios are taken to. */
export const REFERENCE = 'git';
/** The one this project makes; with other options its name goes on after a comma. */
export const US = 'packwire';

/** @param cli the built command of packwire */
export function allPeers(cli: string): readonly Peer[] {
  return [git, packwire(cli), packwireTrusting(cli), ...others];
}

const git: Peer = {
  name: REFERENCE,
  language: 'C',
  install: 'apt-get install git',
  prepare: () => ({
    version: output('git', ['--version']).replace('git version ', ''),
    ingest: (target) => ({ command: 'git', args: ['index-pack', '--stdin', '--fix-thin'], cwd: target }),
    serve: {
      dialect: 'v2',
      run: (repository) => ({
        command: 'git',
        args: ['upload-pack', '--stateless-rpc', repository],
        env: { GIT_PROTOCOL: 'version=2' },
      }),
    },
  }),
};

function packwire(cli: string): Peer {
  return {
    name: US,
    language: 'TypeScript',
    install: 'npm ci && npm run build',
    prepare: () => ({
      version: packwireVersion(cli),
      ingest: (target) => indexPack(cli, target, []),
      serve: {
        dialect: 'v2',
        run: (repository) => ({
          command: process.execPath,
          args: [cli, 'upload-pack', '--stateless-rpc', repository],
          env: { GIT_PROTOCOL: 'version=2' },
        }),
      },
    }),
  };
}

/** The same without the check for SHA-1 collisions, as for an import that is trusted. */
function packwireTrusting(cli: string): Peer {
  const flag = '--no-collision-detection';
  return {
    name: `${US}, trusting`,
    language: 'TypeScript',
    install: 'a build whose index-pack takes --no-collision-detection',
    note: `index-pack ${flag}, for packs from a trusted source`,
    prepare() {
      const version = packwireVersion(cli);
      if (!output(process.execPath, [cli, 'help', 'index-pack']).includes(flag)) {
        throw new NotInstalled(`this build has no index-pack ${flag}`);
      }
      return { version, ingest: (target) => indexPack(cli, target, [flag]) };
    },
  };
}

function indexPack(cli: string, target: string, flags: readonly string[]): Run {
  return {
    command: process.execPath,
    args: [cli, 'index-pack', '--stdin', '--fix-thin', ...flags],
    cwd: target,
  };
}

function packwireVersion(cli: string): string {
  if (!existsSync(cli)) throw new NotInstalled(`${cli} is not there`);
  const manifest = readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

const others: readonly Peer[] = [
  {
    name: 'libgit2',
    language: 'C',
    install: 'apt-get install libgit2-dev gcc pkg-config',
    note: 'no server: its pack builder, which searches every delta anew',
    prepare: (directory) =>
      adapter(buildC(directory, 'libgit2.c', 'libgit2'), { ingests: true, serves: 'v2' }),
  },
  {
    name: 'JGit',
    language: 'Java',
    install: 'apt-get install libjgit-java default-jdk-headless',
    note: 'protocol v0',
    prepare: (directory) =>
      adapter(
        buildJava(directory, 'JGitPeer', [
          'org.eclipse.jgit.jar',
          'slf4j-api.jar',
          'slf4j-nop.jar',
          'javaewah.jar',
          'jsch.jar',
        ]),
        { ingests: true, serves: 'v0' },
      ),
  },
  {
    name: 'go-git',
    language: 'Go',
    install: `apt-get install golang-go ${GO_GIT_PACKAGE}`,
    note: 'protocol v0, neither thin packs nor side-band',
    // The library cannot tell its version when built from a GOPATH: Debian's package does.
    prepare: (directory) => ({
      ...adapter(buildGo(directory, 'go-git.go', 'github.com/go-git/go-git'), {
        ingests: true,
        serves: 'v0-plain',
      }),
      version: output('dpkg-query', ['-W', '-f', `\${source:Upstream-Version}`, GO_GIT_PACKAGE]),
    }),
  },
  {
    name: 'dulwich',
    language: 'Python, C',
    install: 'apt-get install python3-dulwich',
    note: 'protocol v0',
    prepare: () => adapter(findPython('dulwich.py'), { ingests: true, serves: 'v0' }),
  },
  {
    name: 'isomorphic-git',
    language: 'JavaScript',
    install: NPM_INSTALL,
    note: 'no server',
    prepare: () => adapter(findNodePackage('isomorphic-git'), { ingests: true }),
  },
  {
    name: 'just-git',
    language: 'TypeScript',
    install: NPM_INSTALL,
    prepare: () => adapter(findNodePackage('just-git'), { ingests: true, serves: 'v2' }),
  },
  {
    name: 'node-git-server',
    language: 'JavaScript',
    install: NPM_INSTALL,
    note: 'starts git for each request; asked over HTTP; protocol v0',
    prepare: () => adapter(findNodePackage('node-git-server'), { ingests: false, serves: 'v0' }),
  },
];
