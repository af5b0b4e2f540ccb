/**
 * `packwire receive-pack`: git-receive-pack(1).
 *
 * @module
 */
import { receivePack } from '../protocol/receive-pack.ts';
import { readArguments, readCount } from './arguments.ts';
import type { Command } from './command.ts';
import { writeText } from './output.ts';
import { failureSentence, runService, SERVICE_OPTIONS, SERVICE_OPTIONS_HELP } from './service-command.ts';

export const receivePackCommand: Command = {
  name: 'receive-pack',
  summary: 'answer one git push on standard input and output',
  usage: ['receive-pack [-q | --quiet] [--no-hooks] [--timeout=<n>] [<options>] <git-dir>'],
  description: `
Takes the arguments of git-receive-pack, so that git can be told to use it instead:

    git push --receive-pack='packwire receive-pack' <path> main

or, for every client of a machine, by a script named git-receive-pack on its PATH:

    #!/bin/sh
    exec packwire receive-pack "$@"

<git-dir>/.git, <git-dir>.git/.git and <git-dir>.git are tried as well. The repository's hooks are run as git
runs them, and 'git maintenance run --auto' after the push when git is installed (receive.autogc). A push
into a repository that belongs to another user is refused if it has hooks.

    --no-hooks            run no program of the repository: neither hooks nor maintenance
    -q, --quiet           accepted as git does; the client asks for quiet by itself
    --timeout=<n>         give up after <n> seconds of silence; 0, the default, never does
    --skip-connectivity-check
                          believe that all is here that pushed history needs, for a caller who makes sure of it
${SERVICE_OPTIONS_HELP}`,

  async run(args, world) {
    const { values, positionals } = readArguments(args, {
      ...SERVICE_OPTIONS,
      quiet: { type: 'boolean', short: 'q' },
      timeout: { type: 'string', default: '0' },
      hooks: { type: 'boolean', default: true },
      'skip-connectivity-check': { type: 'boolean', default: false },
      'reject-thin-pack-for-testing': { type: 'boolean', default: false }, // git's own tests use it
    });
    const rejectThinPacks = values['reject-thin-pack-for-testing'];
    const skipConnectivityCheck = values['skip-connectivity-check'];
    const onMessage = (text: string): void => void world.errors.write(text);
    const failure = await runService(
      {
        values,
        positionals,
        strict: false,
        timeoutSeconds: readCount(values.timeout, 'timeout'),
        open: { hooks: values.hooks ? 'own' : 'none', maintenance: values.hooks },
        service: (repository, request, options) =>
          receivePack(repository, request, {
            ...options,
            rejectThinPacks,
            skipConnectivityCheck,
            onMessage,
            onDisconnected: (text) => onMessage(`fatal: ${text}\n`),
            nonceScope: positionals[0],
          }),
      },
      world,
    );
    if (failure === undefined) return 0;
    // The client has its report; this is for the log of whoever runs us.
    await writeText(world.errors, `error: ${failureSentence(failure)}\n`);
    return 1;
  },
};
