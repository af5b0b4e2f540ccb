/**
 * A hostile morning: everything that a server on a network has to live through, and what must hold meanwhile.
 *
 *   npm run trial:hostile -- [--only=<scenario>,…] [--seconds=15] [--clients=60] [--memory=1024] [--times=1]
 *                            [--json] [--cli=dist/cli.js] [--list] [<repository>…]
 *
 * The repositories are copied before they are served; without any, one of 20,000 objects is made up. Prints a table;
 * exits with 1 when something did not hold. See README.md beside this folder.
 *
 * @module
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_BOUNDS } from '../support/bounds.ts';
import { BUILT_COMMAND } from '../support/packwire-process.ts';
import { ALL_SCENARIOS } from './all-scenarios.ts';
import { runMorning } from './morning.ts';
import { formatRow, TABLE_HEAD } from './report.ts';

const MIB = 1024 * 1024;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '15' },
    clients: { type: 'string', default: '60' },
    memory: { type: 'string', default: String(DEFAULT_BOUNDS.memoryBytes / MIB) },
    times: { type: 'string', default: '1' },
    cli: { type: 'string' },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

if (values.list) {
  for (const { name, does, holds } of ALL_SCENARIOS) process.stdout.write(`${name}: ${does}; ${holds}\n`);
} else {
  process.exitCode = await main();
}

async function main(): Promise<number> {
  const command = values.cli === undefined ? BUILT_COMMAND : [resolve(values.cli)];
  const names = values.only?.split(',').map((name) => name.trim());
  const scenarios = ALL_SCENARIOS.filter(({ name }) => names === undefined || names.includes(name));
  if (scenarios.length < (names?.length ?? 1) || !existsSync(command[0] as string)) {
    process.stderr.write(`no such scenario (see --list), or nothing built at ${command[0]}\n`);
    return 2;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'packwire-hostile-'));
  try {
    if (!values.json) process.stdout.write(`${TABLE_HEAD}\n`);
    const rows = await runMorning(
      {
        scratch,
        command,
        repositories: positionals,
        seconds: Number(values.seconds),
        clients: Number(values.clients),
        times: Number(values.times),
        bounds: { ...DEFAULT_BOUNDS, memoryBytes: Number(values.memory) * MIB },
        onRow: values.json ? undefined : (row) => void process.stdout.write(`${formatRow(row)}\n`),
      },
      scenarios,
    );
    if (values.json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
    return rows.every(({ broken }) => broken.length === 0) ? 0 : 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
