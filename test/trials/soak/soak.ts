/**
 * A soak: real git clients at full load for half an hour, and whether anything grew or failed.
 *
 *   npm run trial:soak -- [--minutes=30] [--clients=8] [--memory=1024] [--json] [--cli=dist/cli.js] [<repository>…]
 *
 * The repositories are copied before they are served; without any, one of 20,000 objects is made up. Exits with 1 when
 * something did not hold. See README.md beside this folder.
 *
 * @module
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_BOUNDS } from '../support/bounds.ts';
import { BUILT_COMMAND } from '../support/packwire-process.ts';
import { formatSoak } from './report.ts';
import { runSoak } from './run-soak.ts';

const MIB = 1024 * 1024;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '30' },
    clients: { type: 'string', default: '8' },
    memory: { type: 'string', default: String(DEFAULT_BOUNDS.memoryBytes / MIB) },
    cli: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const command = values.cli === undefined ? BUILT_COMMAND : [resolve(values.cli)];
if (!existsSync(command[0] as string)) {
  process.stderr.write(`nothing built at ${command[0]}: npm run build\n`);
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), 'packwire-soak-'));
try {
  const result = await runSoak({
    scratch,
    command,
    repositories: positionals,
    seconds: Number(values.minutes) * 60,
    clients: Number(values.clients),
    bounds: { ...DEFAULT_BOUNDS, memoryBytes: Number(values.memory) * MIB },
    onProgress: (line) => void process.stderr.write(`${line}\n`),
  });
  process.stdout.write(values.json ? `${JSON.stringify(result, undefined, 2)}\n` : formatSoak(result));
  process.exitCode = result.broken.length === 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
