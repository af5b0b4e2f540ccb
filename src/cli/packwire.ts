/**
 * The packwire command: finds the command named first and turns what it throws into a message and an exit code.
 *
 * @module
 */
import { isGitError } from '../core/errors.ts';
import { AGENT } from '../protocol/capabilities.ts';
import { isUsageError } from './arguments.ts';
import { type Command, type CommandWorld, formatHelp, formatUsage } from './command.ts';
import { formatHelpOn, formatOverview } from './help.ts';
import { writeText } from './output.ts';

/** Each is loaded when it is asked for: to load all takes as long as a small fetch. */
const COMMANDS: Readonly<Record<'serving' | 'plumbing', Readonly<Record<string, () => Promise<Command>>>>> = {
  serving: {
    serve: async () => (await import('./serve.ts')).serveCommand,
    daemon: async () => (await import('./daemon.ts')).daemonCommand,
    init: async () => (await import('./init.ts')).initCommand,
  },
  plumbing: {
    'upload-pack': async () => (await import('./upload-pack.ts')).uploadPackCommand,
    'receive-pack': async () => (await import('./receive-pack.ts')).receivePackCommand,
    'upload-archive': async () => (await import('./upload-archive.ts')).uploadArchiveCommand,
    'http-backend': async () => (await import('./http-backend.ts')).httpBackendCommand,
    'index-pack': async () => (await import('./index-pack.ts')).indexPackCommand,
    'verify-pack': async () => (await import('./verify-pack.ts')).verifyPackCommand,
  },
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
  const load = new Map([...Object.entries(COMMANDS.serving), ...Object.entries(COMMANDS.plumbing)]).get(name);
  if (load === undefined) {
    await writeText(world.errors, `packwire: '${name}' is not a packwire command. See 'packwire --help'.\n`);
    return USAGE;
  }
  const command = await load();
  if (isHelpAsked(rest)) {
    await writeText(world.output, formatHelp(command));
    return 0;
  }
  return runCommand(command, rest, world);
}

async function help(topics: readonly string[], world: CommandWorld, exitCode: number): Promise<number> {
  const [topic] = topics;
  const commands = {
    serving: await loadAll(COMMANDS.serving),
    plumbing: await loadAll(COMMANDS.plumbing),
  };
  const text = topic === undefined ? formatOverview(commands) : formatHelpOn(topic, commands);
  if (text === undefined) {
    await writeText(world.errors, `packwire: no help on '${topic}'. See 'packwire --help'.\n`);
    return USAGE;
  }
  await writeText(exitCode === 0 ? world.output : world.errors, text);
  return exitCode;
}

function loadAll(commands: Readonly<Record<string, () => Promise<Command>>>): Promise<Command[]> {
  return Promise.all(Object.values(commands).map((load) => load()));
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
