/**
 * isomorphic-git as a peer of the benchmark. It has no server.
 *
 *   isomorphic-git.mjs version
 *   isomorphic-git.mjs ingest <git-dir>    pack on standard input; writes .pack and .idx
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import git from 'isomorphic-git';

const [work, gitdir] = process.argv.slice(2);
if (work === 'version') {
  process.stdout.write(`${git.version()}\n`);
} else if (work === 'ingest' && gitdir !== undefined) {
  const filepath = 'objects/pack/pack-received.pack';
  await pipeline(process.stdin, fs.createWriteStream(join(gitdir, filepath)));
  await git.indexPack({ fs, dir: gitdir, gitdir, filepath });
} else {
  process.exitCode = 129;
}
