/**
 * `packwire upload-archive`: git-upload-archive(1).
 *
 * @module
 */
import { isGitError } from '../core/errors.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { refuseArchive, uploadArchive } from '../protocol/upload-archive.ts';
import { runArchiveFilter } from '../repository/node/archive-filter.ts';
import { writeAll } from '../transport/node/byte-streams.ts';
import { readArguments } from './arguments.ts';
import type { Command, CommandWorld } from './command.ts';
import { writeText } from './output.ts';
import { runService } from './service-command.ts';

export const uploadArchiveCommand: Command = {
  name: 'upload-archive',
  summary: 'answer one git archive --remote on standard input and output',
  usage: ['upload-archive <repository>'],
  description: `
Takes the argument of git-upload-archive, so that git can be told to use it instead:

    git archive --remote=<path> --exec='packwire upload-archive' HEAD

or, for every client of a machine, by a script named git-upload-archive on its PATH:

    #!/bin/sh
    exec packwire upload-archive "$@"

Formats are tar, tgz, tar.gz and zip, and those that the configuration makes with tar.<format>.command and
tar.<format>.remote. Clients may name refs and paths in their trees, or everything that is stored if
uploadArchive.allowUnreachable is true.`,

  async run(args, world) {
    const { values, positionals } = readArguments(args, {});
    let failure: unknown;
    try {
      failure = await runService(
        {
          values,
          positionals,
          strict: false,
          timeoutSeconds: 0,
          service: (repository, request, options) =>
            uploadArchive(repository, request, {
              ...options,
              runFilter: runArchiveFilter(repository.path),
              userUmask: process.umask(),
            }),
        },
        world,
      );
    } catch (error) {
      if (!isGitError(error, 'REPOSITORY_NOT_FOUND')) throw error;
      failure = error;
      await writeAll(refuseArchive({ limits: DEFAULT_LIMITS }, error), world.output, { idleTimeoutMs: 0 });
    }
    return failure === undefined ? 0 : tell(failure, world);
  },
};

/** The client has been told; this is for the log of whoever runs us. */
async function tell(failure: unknown, { errors }: CommandWorld): Promise<number> {
  const reason = isGitError(failure) ? failure.message : String(failure);
  await writeText(
    errors,
    `fatal: ${reason}\nfatal: sent error to the client: git upload-archive: archiver died with error\n`,
  );
  return 128;
}
