/**
 * The engine as a library and nothing around it: `bare-server.ts <dist directory> <root>`. Everybody may do everything.
 *
 * Says where it listens on standard output, as packwire does.
 *
 * @module
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

type Packwire = typeof import('../../src/index.ts');

const [dist = '', root = '.'] = process.argv.slice(2);
const { createGitServer, createRepositoryDirectory, createThreadTaskPool, nodeListener } = (await import(
  pathToFileURL(join(dist, 'index.js')).href
)) as Packwire;

const git = createGitServer({
  repositories: createRepositoryDirectory(root, { create: false, tasks: createThreadTaskPool() }),
});
const server = createServer({ requestTimeout: 0, keepAliveTimeout: 15_000 }, nodeListener(git));
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/\n`);
});
