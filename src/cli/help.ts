/**
 * `packwire`, `packwire --help` and `packwire help <command>`.
 *
 * @module
 */
import { type Command, formatHelp } from './command.ts';

/** The commands in groups, for {@link formatOverview}. */
export interface CommandGroups {
  readonly serving: readonly Command[];
  readonly administration: readonly Command[];
  readonly plumbing: readonly Command[];
}

/** What `packwire --help` shows. */
export function formatOverview({ serving, administration, plumbing }: CommandGroups): string {
  return `usage: packwire <command> [<options>]

Serve Git repositories
${list(serving)}

Say what a server may do, and for whom
${list(administration)}

Plumbing, with the arguments and the output of git's own
${list(plumbing)}

To try it, in two terminals:
   packwire serve ./repos --create
   git push http://127.0.0.1:8080/hello.git HEAD:main

'packwire help <command>' tells all about a command, 'packwire --version' the version.
`;
}

/** What `packwire help <name>` shows; `undefined` when there is no such command. */
export function formatHelpOn(name: string, groups: CommandGroups): string | undefined {
  const commands: readonly Command[] = [...groups.serving, ...groups.administration, ...groups.plumbing];
  const command = commands.find((one) => one.name === name);
  return command === undefined ? undefined : formatHelp(command);
}

function list(commands: readonly Command[]): string {
  return commands.map(({ name, summary }) => `   ${name.padEnd(14)} ${summary}`).join('\n');
}
