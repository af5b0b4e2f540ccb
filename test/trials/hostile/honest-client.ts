/**
 * Somebody who only wants to work while others are hostile.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { politeGit } from '../support/polite-git.ts';
import { TINY } from '../support/served-root.ts';
import { makeCommit, NO_ID, push, pushBody } from '../support/small-pushes.ts';
import type { WatchedServer } from '../support/watched-server.ts';

const PATIENCE_MS = 20_000;

export interface HonestWork {
  /** Milliseconds for a clone of the tiny repository by git, and for one small push. */
  readonly cloneMs: number;
  readonly pushMs: number;
  readonly broken: readonly string[];
}

/** Clone, then push to a ref of its own in the tiny repository. */
export async function workHonestly(server: WatchedServer, scratch: string): Promise<HonestWork> {
  const broken: string[] = [];
  const name = `honest-${randomBytes(6).toString('hex')}`;
  let began = performance.now();
  const run = { cwd: scratch, timeoutMs: PATIENCE_MS };
  const clone = await politeGit(run, 'clone', '-q', '--bare', `${server.url}/${TINY}`, join(scratch, name));
  const cloneMs = performance.now() - began;
  if (clone.status !== 0) broken.push(`an honest clone ended with ${clone.status}: ${clone.stderr.trim()}`);

  const { id, pack } = makeCommit(undefined, Buffer.from(name));
  began = performance.now();
  const body = pushBody([{ ref: `refs/heads/${name}`, oldId: NO_ID, newId: id }], pack);
  const outcome = await push(server.port, TINY, body);
  const pushMs = performance.now() - began;
  if (outcome.kind !== 'acknowledged') broken.push(`an honest push was ${describe(outcome)}`);
  return { cloneMs, pushMs, broken };
}

export function describeHonest({ cloneMs, pushMs }: HonestWork): string {
  return `honest clone ${cloneMs.toFixed(0)} ms, push ${pushMs.toFixed(0)} ms`;
}

function describe(outcome: Awaited<ReturnType<typeof push>>): string {
  return 'reason' in outcome ? `${outcome.kind}: ${outcome.reason}` : outcome.kind;
}
