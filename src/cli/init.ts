/**
 * `packwire init`: git-init(1), bare repositories only.
 *
 * @module
 */
import { resolve } from 'node:path';
import { objectFormatByName } from '../core/object-id.ts';
import { initRepository } from '../repository/node/files-repository.ts';
import { isGitDirectory } from '../repository/node/git-directory.ts';
import { readArguments, usageError } from './arguments.ts';
import type { Command } from './command.ts';
import { writeText } from './output.ts';

export const initCommand: Command = {
  name: 'init',
  summary: 'make an empty bare repository',
  usage: [
    'init [-q | --quiet] [--object-format=<format>] [-b <branch>] [--shared[=<permissions>]] <directory>',
  ],
  description: `
Makes <directory> an ordinary bare Git repository, as 'git init --bare' does. One that is there already is left
as it is.

    --object-format=<format>
                          sha1 (the default) or sha256
    -b, --initial-branch=<branch>
                          what HEAD points at; the default is main
    --shared[=(group|all|umask|<mode>)]
                          who else may use its files, whatever the umask says; without a value the group
    --bare                accepted, since every repository made here is
    -q, --quiet           print nothing`,

  async run(args, world) {
    const { values, positionals } = readArguments(
      args,
      {
        bare: { type: 'boolean' },
        quiet: { type: 'boolean', short: 'q' },
        'initial-branch': { type: 'string', short: 'b' },
        'object-format': { type: 'string' },
        shared: { type: 'string' },
      },
      ['shared'],
    );
    const [name, ...more] = positionals;
    if (name === undefined || more.length > 0) throw usageError('Expected one directory');
    const path = resolve(world.directory, name);
    const format = values['object-format'];
    const existed = await isGitDirectory(path);
    await using repository = await initRepository(path, {
      format: format === undefined ? undefined : objectFormatByName(format),
      initialBranch: values['initial-branch'],
      shared: values.shared === '' ? 'group' : values.shared,
    });
    if (values.quiet !== true) {
      const what = existed ? 'Reinitialized existing' : 'Initialized empty';
      await writeText(world.output, `${what} Git repository in ${repository.path}/\n`);
    }
    return 0;
  },
};
