import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { git, gitAsync, scratchDirectory } from './support/git.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const entry = new URL('../src/index.ts', import.meta.url);
const tsx = fileURLToPath(import.meta.resolve('tsx'));

/** The first example that makes a server. */
function embeddingExample(): string {
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);
  return blocks.find((block) => block.includes('createGitServer')) as string;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Run the example as it is printed, but for the port and where `packwire` is found. */
async function runExample(t: TestContext, cwd: string, port: number): Promise<ChildProcess> {
  const program = embeddingExample()
    .replaceAll("'packwire'", `'${entry.href}'`)
    .replaceAll('8080', String(port));
  writeFileSync(join(cwd, 'example.mts'), program);
  const child = spawn(process.execPath, ['--import', tsx, 'example.mts'], {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  for (;;) {
    if (child.exitCode !== null) throw new Error('the example has ended');
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answered) return child;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('the embedding example of the README is short, and real git pushes to it and clones from it', async (t) => {
  const lines = embeddingExample().trim().split('\n');
  assert.ok(lines.length <= 15, `${lines.length} lines`);

  const directory = await scratchDirectory(t);
  const work = join(directory, 'work');
  mkdirSync(work);
  git(work, 'init', '-q', '-b', 'main');
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  const port = await freePort();
  await runExample(t, directory, port);

  const url = `http://127.0.0.1:${port}/hello.git`;
  const pushed = await gitAsync(work, 'push', url, 'HEAD:main');
  assert.equal(pushed.status, 0, pushed.stderr);
  const cloned = await gitAsync(directory, 'clone', '-q', url, 'clone');
  assert.equal(cloned.status, 0, cloned.stderr);
  assert.equal(git(join(directory, 'clone'), 'rev-parse', 'HEAD'), git(work, 'rev-parse', 'HEAD'));
});
