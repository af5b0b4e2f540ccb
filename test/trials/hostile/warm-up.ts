/**
 * Everything once, so that what a server keeps for good is not taken for a leak.
 *
 * @module
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { politeGit } from '../support/polite-git.ts';
import type { WatchedServer } from '../support/watched-server.ts';
import { workHonestly } from './honest-client.ts';

const ROUNDS = 3;

/** @throws when even that does not work */
export async function warmUp(
  server: WatchedServer,
  large: readonly string[],
  scratch: string,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(large.map((name, n) => clone(server, name, join(scratch, `warm-${round}-${n}`))));
    const { broken } = await workHonestly(server, scratch);
    if (broken.length > 0) throw new Error(`before anything hostile happened: ${broken[0]}`);
  }
}

async function clone(server: WatchedServer, name: string, target: string): Promise<void> {
  const { status, stderr } = await politeGit('/', 'clone', '-q', '--bare', `${server.url}/${name}`, target);
  rmSync(target, { recursive: true, force: true });
  if (status !== 0) throw new Error(`before anything hostile happened a clone failed: ${stderr}`);
}
