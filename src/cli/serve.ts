/**
 * `packwire serve`: the reference server.
 *
 * What it is made of is loaded when it is asked for: other commands start faster without.
 *
 * @module
 */
import type { Command } from './command.ts';
import { SERVE_OPTIONS } from './serve-flags.ts';

export const serveCommand: Command = {
  name: 'serve',
  summary: 'serve every repository below a directory over HTTP, SSH and git://',
  usage: ['serve [<root>] [--config=<file>] [--http=[<host>:]<port>]... [--create] [<options>]'],
  description: `
Serves the bare repositories below <root> (./repos by default) to git clients: 'hello.git' there is
http://<host>:<port>/hello.git. Without an access file or rules whoever reaches the port may read and write
everything, so it then listens for this machine only.
${SERVE_OPTIONS}

Writes one line for each request to standard error: who, what, status, milliseconds, bytes sent. SIGHUP reads the
configuration, certificates, host keys and the access file again, and drops nothing. 'packwire config' says what
holds.`,

  async run(args, world) {
    const { runServer } = await import('./run-server.ts');
    return runServer(args, world);
  },
};
