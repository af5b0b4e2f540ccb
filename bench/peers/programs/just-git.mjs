/**
 * just-git as a peer of the benchmark, over a repository in files.
 *
 *   just-git.mjs version
 *   just-git.mjs ingest <git-dir>    pack on standard input; writes .pack and .idx
 *   just-git.mjs serve <git-dir>     protocol v2 fetch request on standard input
 */
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findRepo } from 'just-git';
import { handleV2Fetch, parseV2CommandRequest } from 'just-git/server';

const described = (stats) => ({
  isFile: stats.isFile(),
  isDirectory: stats.isDirectory(),
  isSymbolicLink: stats.isSymbolicLink(),
  mode: stats.mode,
  size: stats.size,
  mtime: stats.mtime,
});

/** The disk, as just-git wants a file system to look. */
const disk = {
  readFile: (path) => fs.readFile(path, 'utf8'),
  readFileBuffer: (path) => fs.readFile(path),
  writeFile: (path, content) => fs.writeFile(path, content),
  exists: (path) =>
    fs.access(path).then(
      () => true,
      () => false,
    ),
  stat: async (path) => described(await fs.stat(path)),
  lstat: async (path) => described(await fs.lstat(path)),
  mkdir: async (path, options) => void (await fs.mkdir(path, options)),
  readdir: (path) => fs.readdir(path),
  rm: (path, options) => fs.rm(path, options),
  readlink: (path) => fs.readlink(path),
  symlink: (target, path) => fs.symlink(target, path),
};

async function standardInput() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function write(chunk) {
  if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}

async function version() {
  let folder = dirname(fileURLToPath(import.meta.resolve('just-git')));
  for (; ; folder = dirname(folder)) {
    const text = await fs.readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) return JSON.parse(text).version;
  }
}

async function serve(repository) {
  const { args } = parseV2CommandRequest(await standardInput());
  const answer = await handleV2Fetch(repository, args);
  if ('reject' in answer) throw new Error(answer.message);
  if (answer instanceof Uint8Array) await write(answer);
  else for await (const chunk of answer) await write(chunk);
}

const [work, gitdir] = process.argv.slice(2);
if (work === 'version') {
  await write(`${await version()}\n`);
} else if (work === 'ingest' && gitdir !== undefined) {
  const repository = await findRepo(disk, gitdir);
  await repository.objectStore.ingestPack(await standardInput());
} else if (work === 'serve' && gitdir !== undefined) {
  await serve(await findRepo(disk, gitdir));
} else {
  process.exitCode = 129;
}
