/**
 * `packwire upload-pack`: git-upload-pack(1).
 *
 * @module
 */
import { GitError, isGitError } from '../core/errors.ts';
import { uploadPack } from '../protocol/upload-pack.ts';
import { readArguments, readCount } from './arguments.ts';
import type { Command, CommandWorld } from './command.ts';
import { writeText } from './output.ts';
import { asFatal, runService, SERVICE_OPTIONS, SERVICE_OPTIONS_HELP } from './service-command.ts';

export const uploadPackCommand: Command = {
  name: 'upload-pack',
  summary: 'answer one git fetch or clone on standard input and output',
  usage: ['upload-pack [--[no-]strict] [--timeout=<n>] [--stateless-rpc] [--advertise-refs] <directory>'],
  description: `
Takes the arguments of git-upload-pack, so that git can be told to use it instead:

    git clone -u 'packwire upload-pack' <path> <directory>
    git clone -u 'packwire upload-pack' user@host:<path>

or, for every client of a machine, by a script named git-upload-pack on its PATH:

    #!/bin/sh
    exec packwire upload-pack "$@"

Unless --strict is given, <directory>/.git, <directory>.git/.git and <directory>.git are tried as well.

    --strict              take <directory> as it is
    --timeout=<n>         give up after <n> seconds of silence; 0, the default, never does
${SERVICE_OPTIONS_HELP}
GIT_NO_LAZY_FETCH=0 allows to fetch from promisor remotes what clients want and is missing here.`,

  async run(args, world) {
    const { values, positionals } = readArguments(args, {
      ...SERVICE_OPTIONS,
      strict: { type: 'boolean' },
      timeout: { type: 'string', default: '0' },
    });
    // One word among the capabilities, as git makes it one.
    const agent = world.environment.GIT_USER_AGENT?.replace(/[^\x21-\x7e]/g, '.');
    const serving = runService(
      {
        values,
        positionals,
        strict: values.strict === true,
        timeoutSeconds: readCount(values.timeout, 'timeout'),
        mayLeave: (version) => version === 2,
        open: { lazyFetch: FALSE.test(world.environment.GIT_NO_LAZY_FETCH ?? '') },
        service: (repository, request, options) =>
          uploadPack(repository, request, { ...options, agent, defaults: 'git' }),
      },
      world,
    );
    const failure = await serving.catch(async (error: unknown) => {
      throw await tellDamage(error, world); // without side-band the pack breaks off
    });
    if (failure !== undefined) throw asFatal(await tellDamage(failure, world));
    return 0;
  },
};

/** How an environment says no: unset, git's upload-pack takes it for yes. */
const FALSE = /^(?:0+|no|off|false)$/i;

/** Damage is told in the words that are looked for in logs: those of the programs git runs. */
async function tellDamage(failure: unknown, { errors }: CommandWorld): Promise<unknown> {
  if (!isGitError(failure, 'OBJECT_MISSING', 'OBJECT_CORRUPT', 'PACK_CORRUPT')) return failure;
  await writeText(
    errors,
    `error: ${failure.message}\nerror: git upload-pack: git-pack-objects died with error.\n`,
  );
  const words = 'git upload-pack: aborting due to possible repository corruption on the remote side.';
  return new GitError(failure.code, words, failure.detail, failure);
}
