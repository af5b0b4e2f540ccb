/**
 * node-git-server as a peer of the benchmark: an HTTP server that starts git for each request. The request is put to
 * it over the loopback interface from the same process.
 *
 *   node-git-server.mjs version
 *   node-git-server.mjs serve <git-dir>    protocol v0 request on standard input
 */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import library from 'node-git-server';

async function serve(gitdir) {
  const server = new library.Git(dirname(gitdir), { autoCreate: false });
  const listener = createServer((incoming, answer) => server.handle(incoming, answer)).listen(0, '127.0.0.1');
  await once(listener, 'listening');

  const client = request({
    host: '127.0.0.1',
    port: listener.address().port,
    path: `/${basename(gitdir)}/git-upload-pack`,
    method: 'POST',
    headers: { 'content-type': 'application/x-git-upload-pack-request' },
  });
  process.stdin.pipe(client);
  const [response] = await once(client, 'response');
  if (response.statusCode !== 200) throw new Error(`HTTP status ${response.statusCode}`);
  await pipeline(response, process.stdout, { end: false });
  process.exit(0);
}

const [work, gitdir] = process.argv.slice(2);
if (work === 'version') {
  const { version } = createRequire(import.meta.url)('node-git-server/package.json');
  process.stdout.write(`${version}\n`);
} else if (work === 'serve' && gitdir !== undefined) {
  await serve(gitdir);
} else {
  process.exitCode = 129;
}
