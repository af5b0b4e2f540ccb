import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { Command } from '../../src/cli/command.ts';
import { formatHelp } from '../../src/cli/command.ts';
import { configCommand } from '../../src/cli/config.ts';
import { indexPackCommand } from '../../src/cli/index-pack.ts';
import { initCommand } from '../../src/cli/init.ts';
import { keyCommand } from '../../src/cli/key.ts';
import { receivePackCommand } from '../../src/cli/receive-pack.ts';
import { serveCommand } from '../../src/cli/serve.ts';
import { tokenCommand } from '../../src/cli/token.ts';
import { uploadPackCommand } from '../../src/cli/upload-pack.ts';
import { userCommand } from '../../src/cli/user.ts';
import { verifyPackCommand } from '../../src/cli/verify-pack.ts';
import { runHere, spawnPackwire } from './run-packwire.ts';

const COMMANDS: readonly Command[] = [
  serveCommand,
  initCommand,
  configCommand,
  userCommand,
  tokenCommand,
  keyCommand,
  uploadPackCommand,
  receivePackCommand,
  indexPackCommand,
  verifyPackCommand,
];

const packageFile = new URL('../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };

for (const command of COMMANDS) {
  test(`the help of ${command.name} fits a terminal and names what its usage names`, () => {
    const help = formatHelp(command);
    for (const line of help.split('\n')) assert.ok(line.length <= 118, line);
    for (const [option] of command.usage.join(' ').matchAll(/--[a-z][a-z-]+/g)) {
      assert.ok(command.description.includes(option), `${option} is explained`);
    }
  });
}

const cwd = '/';

for (const args of [['--help'], ['-h'], ['help']]) {
  test(`packwire ${args} lists the commands`, async () => {
    const { status, stdout, stderr } = await runHere(args, { cwd });
    assert.deepEqual([status, stderr], [0, '']);
    for (const { name, summary } of COMMANDS)
      assert.match(stdout, new RegExp(`^ {3}${name} +${summary}$`, 'm'));
  });
}

test('packwire alone shows the same, as an error', async () => {
  const { status, stdout, stderr } = await runHere([], { cwd });
  assert.deepEqual([status, stdout], [129, '']);
  assert.match(stderr, /^usage: packwire <command>/);
});

for (const args of [
  ['help', 'index-pack'],
  ['index-pack', '--help'],
  ['index-pack', '-h'],
]) {
  test(`packwire ${args.join(' ')} explains the command`, async () => {
    assert.deepEqual(await runHere(args, { cwd }), {
      status: 0,
      stdout: formatHelp(indexPackCommand),
      stderr: '',
    });
  });
}

test('packwire --version says the version of the package', async () => {
  const { stdout } = await runHere(['--version'], { cwd });
  assert.equal(stdout, `packwire version ${version}\n`);
});

test('an unknown command or option says what to do', async () => {
  const command = await runHere(['clone'], { cwd });
  assert.deepEqual(command, {
    status: 129,
    stdout: '',
    stderr: "packwire: 'clone' is not a packwire command. See 'packwire --help'.\n",
  });
  const option = await runHere(['verify-pack', '--wrong'], { cwd });
  assert.equal(option.status, 129);
  assert.match(option.stderr, /^error: Unknown option '--wrong'\nusage: packwire verify-pack /);
});

test('a reader that has seen enough is no failure worth words', async () => {
  const child = spawnPackwire(['--help'], { cwd });
  child.stdout?.destroy();
  let complaint = '';
  child.stderr?.on('data', (chunk) => (complaint += String(chunk)));
  await once(child, 'close');
  assert.equal(complaint, '');
});
