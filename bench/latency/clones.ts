/**
 * Clones in a loop, in a process of their own: what a busy server does beside the request that is measured.
 *
 *     node clones.ts <port> <repository> <directory> <loops>
 *
 * Each loop leaves out another ref, so that no two ask the same and no answer is shared. Writes a line for each clone.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { KeepAliveClient } from '../refs/keep-alive-client.ts';
import { fetchAll } from '../refs/requests.ts';

const [port, repository, directory, loops] = process.argv.slice(2) as [string, string, string, string];
const listed = spawnSync('git', ['-C', directory, 'for-each-ref', '--format=%(objectname)'], {
  encoding: 'utf8',
  maxBuffer: 1 << 28,
});
const tips = [...new Set(listed.stdout.split('\n').filter((line) => line !== ''))];

async function loop(number: number): Promise<void> {
  const wants = tips.filter((_, index) => tips.length <= Number(loops) || index !== number);
  const client = new KeepAliveClient(Number(port));
  for (;;) {
    const started = performance.now();
    const { status, bodyBytes } = await client.ask(fetchAll(repository, wants));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(`${status} ${bodyBytes} ${seconds}\n`);
  }
}

await Promise.all(Array.from({ length: Number(loops) }, (_, number) => loop(number)));
