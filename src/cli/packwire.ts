/**
 * The packwire command: finds the command named first and turns what it throws into a message and an exit code.
 *
 * @module
 */
import { isGitError } from '../core/errors.ts';
import { AGENT } from '../protocol/capabilities.ts';
import { isUsageError } from './arguments.ts';
import { type Command, type CommandWorld, formatHelp, formatUsage } from './command.ts';
import { configCommand } from './config.ts';
import { daemonCommand } from './daemon.ts';
import { formatHelpOn, formatOverview } from './help.ts';
import { httpBackendCommand } from './http-backend.ts';
import { indexPackCommand } from './index-pack.ts';
import { initCommand } from './init.ts';
import { keyCommand } from './key.ts';
import { writeText } from './output.ts';
import { receivePackCommand } from './receive-pack.ts';
import { serveCommand } from './serve.ts';
import { tokenCommand } from './token.ts';
import { uploadArchiveCommand } from './upload-archive.ts';
import { uploadPackCommand } from './upload-pack.ts';
import { userCommand } from './user.ts';
import { verifyPackCommand } from './verify-pack.ts';

const COMMANDS = {
  serving: [serveCommand, daemonCommand, initCommand],
  administration: [configCommand, userCommand, tokenCommand, keyCommand],
  plumbing: [
    uploadPackCommand,
    receivePackCommand,
    uploadArchiveCommand,
    httpBackendCommand,
    indexPackCommand,
    verifyPackCommand,
  ],
};

/** git's exit codes: for errors, and for wrong arguments. */
const FATAL = 128;
const USAGE = 129;
/** As a shell reports a command ended by SIGPIPE. */
const BROKEN_PIPE = 141;

/** Run one command line. @returns the exit code */
export async function packwire(args: readonly string[], world: CommandWorld): Promise<number> {
  try {
    return await dispatch(args, world);
  } catch (error) {
    if (isBrokenPipe(error)) return BROKEN_PIPE;
    throw error;
  }
}

async function dispatch(args: readonly string[], world: CommandWorld): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version' || name === 'version') {
    await writeText(world.output, `packwire version ${AGENT.split('/')[1]}\n`);
    return 0;
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    return help(name === undefined ? [] : rest, world, name === undefined ? USAGE : 0);
  }
  const command = Object.values(COMMANDS)
    .flat()
    .find((one) => one.name === name);
  if (command === undefined) {
    await writeText(world.errors, `packwire: '${name}' is not a packwire command. See 'packwire --help'.\n`);
    return USAGE;
  }
  if (isHelpAsked(rest)) {
    await writeText(world.output, formatHelp(command));
    return 0;
  }
  return runCommand(command, rest, world);
}

async function help(topics: readonly string[], world: CommandWorld, exitCode: number): Promise<number> {
  const [topic] = topics;
  const text = topic === undefined ? formatOverview(COMMANDS) : formatHelpOn(topic, COMMANDS);
  if (text === undefined) {
    await writeText(world.errors, `packwire: no help on '${topic}'. See 'packwire --help'.\n`);
    return USAGE;
  }
  await writeText(exitCode === 0 ? world.output : world.errors, text);
  return exitCode;
}

function isHelpAsked(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}

async function runCommand(command: Command, args: readonly string[], world: CommandWorld): Promise<number> {
  try {
    return await command.run(args, world);
  } catch (error) {
    if (isUsageError(error)) {
      await writeText(world.errors, `error: ${error.message}\n${formatUsage(command)}`);
      return USAGE;
    }
    if (!isGitError(error)) throw error; // a bug: let the runtime show where
    await writeText(world.errors, `fatal: ${error.message}\n`);
    return FATAL;
  }
}

/** Nobody reads what we print, as in `packwire verify-pack -v … | head`. */
function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}
