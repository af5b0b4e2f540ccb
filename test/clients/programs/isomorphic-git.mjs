/** isomorphic-git as a client: `clone <url> <dir>`, `fetch <url> <dir>`, `push <url> <dir> <ref>`. */
import fs from 'node:fs';
import { createRequire } from 'node:module';

// Installed with the peers of the benchmark.
const require = createRequire(new URL('../../../bench/peers/package.json', import.meta.url));
const git = require('isomorphic-git');
const http = require('isomorphic-git/http/node');

const [verb, url, gitdir, ref] = process.argv.slice(2);
const repository = { fs, http, dir: gitdir, gitdir, url, remote: 'origin' };
if (verb === 'clone') {
  await git.clone({ ...repository, noCheckout: true });
} else if (verb === 'fetch') {
  await git.fetch(repository);
} else {
  const { ok, error } = await git.push({ ...repository, ref, remoteRef: ref });
  if (!ok) throw new Error(error);
}
