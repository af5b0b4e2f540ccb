/**
 * The same work through every git implementation that is installed: ingest a pack, serve a clone, serve a fetch.
 *
 *   npm run bench:peers -- [<repository>...] [--runs=5] [--time-limit=300] [--only=ingest,clone,fetch]
 *                          [--peers=git,packwire,JGit] [--generated] [--objects=100000] [--seed=1]
 *                          [--origin=<name>=<where it comes from>]... [--out=bench/results] [--cli=dist/cli.js]
 *   npm run bench:peers -- --install     install the peers that come from npm, into bench/peers/node_modules
 *   npm run bench:peers -- --redraw      make the page and charts anew from report.json
 *
 * With --generated, or without a repository, one is made of so many objects. Writes report.json, report.html,
 * report-wall.svg and report-memory.svg. Needs a built dist/.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { allPeers } from './peers/all.ts';
import { memoryChart, wallChart } from './peers/charts.ts';
import { compare, type Outcome, WORKS } from './peers/compare.ts';
import { generatedRepository, givenRepositories, type InputFacts, prepareInput } from './peers/input.ts';
import { reportPage } from './peers/page.ts';
import { NotInstalled, type Peer, type ReadyPeer } from './peers/peer.ts';
import { describeMachine, type PeerFacts, type Report, usageSource } from './peers/report.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    generated: { type: 'boolean', default: false },
    objects: { type: 'string', default: '100000' },
    origin: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '5' },
    'time-limit': { type: 'string', default: '300' },
    only: { type: 'string' },
    peers: { type: 'string' },
    out: { type: 'string', default: resolve(import.meta.dirname, 'results') },
    cli: { type: 'string', default: resolve(import.meta.dirname, '../dist/cli.js') },
    install: { type: 'boolean', default: false },
    redraw: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const out = resolve(values.out);

if (values.install) install();
else if (values.redraw) write(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report);
else await main();

async function main(): Promise<void> {
  const machine = describeMachine();
  const runs = Number(values.runs);
  const timeLimitSeconds = Number(values['time-limit']);
  const works = WORKS.filter((work) => values.only === undefined || values.only.split(',').includes(work));
  const sources = [...givenRepositories(positionals, values.origin)];
  if (values.generated || sources.length === 0) {
    sources.push(await generatedRepository(Number(values.objects), Number(values.seed)));
  }
  const scratch = mkdtempSync(join(tmpdir(), 'packwire-bench-'));
  try {
    const { facts, ready } = preparePeers(join(scratch, 'build'));
    const inputs: InputFacts[] = [];
    const outcomes: Outcome[] = [];
    for (const { path, origin } of sources) {
      const input = prepareInput(path, origin, scratch);
      inputs.push(input.facts);
      for (const work of works) {
        say(`${input.facts.name}, ${work}`);
        outcomes.push(...(await compare(work, input, ready, { runs, timeLimitSeconds, scratch, say })));
        // Each time, so that what was measured is kept when something breaks later.
        const date = new Date().toISOString().slice(0, 10);
        write({ date, machine, runs, timeLimitSeconds, usageSource, peers: facts, inputs, outcomes });
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function preparePeers(build: string): { facts: PeerFacts[]; ready: Map<string, ReadyPeer> } {
  const facts: PeerFacts[] = [];
  const ready = new Map<string, ReadyPeer>();
  const wanted = values.peers?.split(',');
  for (const peer of allPeers(resolve(values.cli))) {
    if (wanted !== undefined && !wanted.includes(peer.name)) continue;
    const { name, language, install, note } = peer;
    try {
      const prepared = prepare(peer, join(build, name));
      ready.set(name, prepared);
      facts.push({ name, language, install, note, version: prepared.version });
      say(`${name} ${prepared.version}`);
    } catch (error) {
      if (!(error instanceof NotInstalled)) throw error;
      facts.push({ name, language, install, note, missing: error.message });
      say(`${name}: skipped, ${error.message}; to have it: ${install}`);
    }
  }
  return { facts, ready };
}

function prepare(peer: Peer, directory: string): ReadyPeer {
  mkdirSync(directory, { recursive: true });
  return peer.prepare(directory);
}

function write(report: Report): void {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'report.json'), `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(join(out, 'report.html'), reportPage(report));
  writeFileSync(join(out, 'report-wall.svg'), wallChart(report));
  writeFileSync(join(out, 'report-memory.svg'), memoryChart(report));
}

function install(): void {
  const folder = resolve(import.meta.dirname, 'peers');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw new Error(`npm install in ${folder} ended with ${status}`);
  say('The others come from the system:');
  for (const line of new Set(allPeers('').map((peer) => peer.install))) {
    if (line.startsWith('apt-get')) say(`  ${line}`);
  }
}
