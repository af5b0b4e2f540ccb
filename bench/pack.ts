/**
 * Ingest and serve a repository, side by side with git: wall time, CPU, peak memory.
 *
 *   npm run bench:pack -- <repository> [--runs=3] [--only=ingest,clone,fetch,blobless]
 *
 * Prints a table; writes bench/results/<name>.json and .svg. Needs a built dist/.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { barChart } from './pack/chart.ts';
import { type Measurement, measure, median, type Run } from './pack/measure.ts';
import { cloneRequest, fetchRequest } from './pack/requests.ts';

interface Work {
  readonly name: string;
  readonly git: Run;
  readonly packwire: Run;
  readonly before?: () => void;
}

const MIB = 1024 * 1024;
const PACKWIRE = resolve(import.meta.dirname, '../dist/cli.js');
const RESULTS = resolve(import.meta.dirname, 'results');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '3' }, only: { type: 'string' } },
});
const [path] = positionals;
if (path === undefined || !existsSync(PACKWIRE)) {
  process.stderr.write(
    'usage: npm run bench:pack -- <repository> [--runs=3] [--only=ingest,clone,fetch,blobless]\n',
  );
  process.exit(2);
}

const repository = resolve(path);
const scratch = mkdtempSync(join(tmpdir(), 'packwire-bench-'));
try {
  await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const only = values.only?.split(',');
  const works = [ingest(), ...serving()].filter((work) => only === undefined || only.includes(work.name));
  const runs = Number(values.runs);
  const rows = [];
  for (const work of works) {
    const git: Measurement[] = [];
    const packwire: Measurement[] = [];
    // Alternating, so that a machine that slows down slows both.
    for (let i = 0; i < runs; i++) {
      work.before?.();
      git.push(await measure(work.git));
      work.before?.();
      packwire.push(await measure(work.packwire));
    }
    rows.push({ name: work.name, git: median(git), packwire: median(packwire) });
    process.stdout.write(`${tableRow(rows.at(-1) as Row)}\n`);
  }
  report(rows);
}

/** A pack of everything, read from a file, written with its index into an empty repository. */
function ingest(): Work {
  const pack = join(scratch, 'all.pack');
  const result = spawnSync(
    'git',
    ['-C', repository, 'pack-objects', '--revs', '--all', '--delta-base-offset', '--stdout', '-q'],
    { stdio: ['ignore', openSync(pack, 'w'), 'inherit'] },
  );
  if (result.status !== 0) throw new Error('git pack-objects failed');
  const target = join(scratch, 'target.git');
  return {
    name: 'ingest',
    before() {
      rmSync(target, { recursive: true, force: true });
      spawnSync('git', ['init', '-q', '--bare', target]);
    },
    git: { command: 'git', args: ['index-pack', '--stdin', '--fix-thin'], cwd: target, inputFile: pack },
    packwire: {
      command: process.execPath,
      args: [PACKWIRE, 'index-pack', '--stdin', '--fix-thin'],
      cwd: target,
      inputFile: pack,
    },
  };
}

function serving(): Work[] {
  const requests: [string, Buffer | undefined][] = [
    ['clone', cloneRequest(repository)],
    ['fetch', fetchRequest(repository, 100)],
    ['blobless', cloneRequest(repository, 'blob:none')],
  ];
  return requests.flatMap(([name, input]) => {
    if (input === undefined) return [];
    const env = {
      GIT_PROTOCOL: 'version=2',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'uploadpack.allowFilter',
      GIT_CONFIG_VALUE_0: 'true',
    };
    const git: Run = {
      command: 'git',
      args: ['upload-pack', '--stateless-rpc', repository],
      input,
      env,
    };
    const packwire: Run = {
      command: process.execPath,
      args: [PACKWIRE, 'upload-pack', '--stateless-rpc', repository],
      input,
      env,
    };
    return [{ name, git, packwire }];
  });
}

interface Row {
  readonly name: string;
  readonly git: Measurement;
  readonly packwire: Measurement;
}

function tableRow({ name, git, packwire }: Row): string {
  const cells = [git, packwire].map(
    (m) =>
      `${m.wallSeconds.toFixed(2)} s wall  ${m.cpuSeconds.toFixed(2)} s cpu  ${(m.peakBytes / MIB).toFixed(0)} MiB  ${(m.outputBytes / 1e6).toFixed(1)} MB out`,
  );
  const ratio = (packwire.wallSeconds / git.wallSeconds).toFixed(2);
  return `${name.padEnd(9)} git ${cells[0]}\n${''.padEnd(9)} us  ${cells[1]}   ratio ${ratio}`;
}

function report(rows: readonly Row[]): void {
  const name = basename(repository).replace(/\.git$/, '');
  const machine = `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}, ${process.platform} ${release()}`;
  const versions = {
    node: process.version,
    git: spawnSync('git', ['--version'], { encoding: 'utf8' }).stdout.trim(),
    packwire: (
      JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8')) as { version: string }
    ).version,
  };
  const objects = spawnSync('git', ['-C', repository, 'count-objects', '-v'], { encoding: 'utf8' }).stdout;
  const pack = join(scratch, 'all.pack');
  const input = { name, countObjects: objects.trim().split('\n'), packBytes: statSync(pack).size };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(
    join(RESULTS, `${name}.json`),
    `${JSON.stringify({ machine, versions, input, runs: Number(values.runs), rows }, undefined, 2)}\n`,
  );
  writeFileSync(
    join(RESULTS, `${name}.svg`),
    barChart(
      `${name}: wall time (${versions.git}, Node ${versions.node})`,
      's',
      rows.map((row) => ({ label: row.name, git: row.git.wallSeconds, packwire: row.packwire.wallSeconds })),
    ),
  );
}
