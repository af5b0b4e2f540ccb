/**
 * What every packwire command is, and what it may touch.
 *
 * @module
 */
import type { Readable, Writable } from 'node:stream';

/** The world as a command sees it, so that tests can make one. */
export interface CommandWorld {
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute; relative arguments start here. */
  readonly directory: string;
  /** Whether `errors` is a terminal: progress is shown there without being asked for. */
  readonly isTerminal: boolean;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Lines after `usage: packwire `. */
  readonly usage: readonly string[];
  /** Paragraphs and options, as shown by `packwire help <name>`. */
  readonly description: string;
  /**
   * @returns the exit code
   * @throws {GitError} to end with `fatal: …` and code 128, or for wrong arguments with the usage and 129
   */
  run(args: readonly string[], world: CommandWorld): Promise<number>;
}

/** `usage:` and its lines, aligned as git does. */
export function formatUsage({ usage }: Command): string {
  return usage.map((line, i) => `${i === 0 ? 'usage:' : '   or:'} packwire ${line}\n`).join('');
}

/** Everything about one command. */
export function formatHelp(command: Command): string {
  return `packwire ${command.name} - ${command.summary}\n\n${formatUsage(command)}\n${command.description.trim()}\n`;
}
