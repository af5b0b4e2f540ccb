/**
 * `packwire config`: looks at configuration files.
 *
 * The server's configuration is loaded when it is asked for: most commands have none, and start faster.
 *
 * @module
 */
import type { ConfigSources } from '../server/config/load-config.ts';
import { usageError } from './arguments.ts';
import type { Command, CommandWorld } from './command.ts';
import { writeText } from './output.ts';
import { configFileOf, readServeFlags } from './serve-flags.ts';

export const configCommand: Command = {
  name: 'config',
  summary: "check and show the configuration of 'packwire serve'",
  usage: ['config check [<file>] [<options>]', 'config show [<file>] [<options>]', 'config schema'],
  description: `
The configuration is one file of JSON with comments, every member of which may be left out. Before it go variables
of the environment, named after its members (listen.http is PACKWIRE_LISTEN_HTTP, with commas between several), and
before these the options of 'packwire serve'. Empty variables count as not set. Sizes are bytes or text such as
"10k", "2m" and "1g"; times are milliseconds or text such as "500ms", "30s", "5m", "2h" and "1d". Relative paths in
the file start at its directory.

    check                 say what is wrong and where: a line for each error and warning; ends with 1 if there
                          are errors, else with 0
    show                  print the configuration in force as such a file, with the origin of each value
    schema                print the JSON schema of the file

<file> is that of --config=<file> or of PACKWIRE_CONFIG when left out; other options are those of
'packwire serve'.`,

  async run(args, world) {
    const [verb, ...rest] = args;
    switch (verb) {
      case 'check':
        return check(sourcesOf(rest, world), world);
      case 'show':
        return show(sourcesOf(rest, world), world);
      case 'schema':
        if (rest.length > 0) throw usageError(`Expected nothing after 'schema'`);
        return printSchema(world);
      default:
        throw usageError(verb === undefined ? 'What is to be done?' : `Unknown: ${JSON.stringify(verb)}`);
    }
  },
};

function sourcesOf(args: readonly string[], { environment, directory }: CommandWorld): ConfigSources {
  const { file: option, flags, positionals } = readServeFlags(args, environment);
  const [named, ...more] = positionals;
  if (more.length > 0) throw usageError('Expected one file');
  const file = named === undefined ? option : configFileOf(named, {});
  return { file, environment, flags, directory };
}

async function check(sources: ConfigSources, world: CommandWorld): Promise<number> {
  const { readServerConfig, formatProblem, hasErrors } = await loadedConfig();
  const { problems } = await readServerConfig(sources);
  for (const problem of problems) await writeText(world.output, `${formatProblem(problem)}\n`);
  if (hasErrors(problems)) return 1;
  const what = sources.file ?? 'the configuration without a file';
  await writeText(world.output, `${what} can be used\n`);
  return 0;
}

async function show(sources: ConfigSources, world: CommandWorld): Promise<number> {
  const { readServerConfig, formatProblem, hasErrors, showConfig } = await loadedConfig();
  const { config, problems, originOf } = await readServerConfig(sources);
  for (const problem of problems) await writeText(world.errors, `${formatProblem(problem)}\n`);
  if (config !== undefined) await writeText(world.output, showConfig(config, originOf));
  return hasErrors(problems) ? 1 : 0;
}

async function printSchema(world: CommandWorld): Promise<number> {
  const { configJsonSchema } = await import('../server/config/json-schema.ts');
  await writeText(world.output, `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
  return 0;
}

async function loadedConfig() {
  const [loading, problem, showing] = await Promise.all([
    import('../server/config/load-config.ts'),
    import('../server/config/problem.ts'),
    import('../server/config/show-config.ts'),
  ]);
  return { ...loading, ...problem, ...showing };
}
