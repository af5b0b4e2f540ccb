/**
 * A disk that is full, and then is not: once for a server that writes until nothing can be written, once for one that
 * keeps a reserve.
 *
 * @module
 */
import { becomesTrue } from '../support/waiting.ts';
import type { Finding, OwnGround, Scenario } from './scenario.ts';
import { DISK_MEBIBYTES, MIB, SmallDisk, withoutSmallDisks } from './small-disk.ts';

const FILE_BYTES = 5 * MIB;
/** Larger than what is free when a disk is full. */
const LARGE_FILE_BYTES = 10 * MIB;
/** Below it the second server takes no pushes. */
const RESERVE_BYTES = 16 * MIB;
/** The server looks at its disk each second. */
const SEEN_MS = 15_000;

export const fullDisk: Scenario = {
  name: 'full disk',
  does: `pushes fill a disk of ${DISK_MEBIBYTES} MiB and go on when it is full, or all but a reserve is`,
  holds:
    'pushes are refused in words, below the reserve with 503 and Retry-After; reads go on, nothing is left behind, and with room pushes are taken again',
  on: 'own',
  skip: withoutSmallDisks,
  async run(ground) {
    const filled = await fillToTheBrim(ground);
    const kept = await fillToTheReserve(ground);
    return { figure: `${filled.figure}; ${kept.figure}`, broken: [...filled.broken, ...kept.broken] };
  },
};

/** Nothing is shed: what is written fails. */
async function fillToTheBrim(ground: OwnGround): Promise<Finding> {
  const disk = await SmallDisk.mount(ground, 'brim', 0);
  let refused = 0;
  let words = '';
  const isRefused = async (fileBytes: number): Promise<boolean> => {
    const outcome = await disk.push(fileBytes);
    if (outcome.kind === 'acknowledged') return false;
    refused++;
    if (outcome.kind !== 'unanswered') words = outcome.reason;
    if (outcome.kind === 'turned away') disk.broken.push(`a push was turned away with ${outcome.status}`);
    return true;
  };

  if (!(await anyOf(mostFiles(), () => isRefused(FILE_BYTES)))) {
    disk.broken.push('more was taken than the disk holds');
  }
  await pressOn(ground, disk, () => isRefused(LARGE_FILE_BYTES));
  disk.dropBallast();
  const outcome = await disk.push(FILE_BYTES);
  if (outcome.kind !== 'acknowledged')
    disk.broken.push(`with room again a push was ${JSON.stringify(outcome)}`);
  await disk.judge();
  const figure =
    `${disk.heldCount} pushes acknowledged, ${refused} refused (${words}), ` +
    `${disk.cloneCount} clones while it was full`;
  return { figure, broken: disk.broken };
}

/** Pushes are shed before the disk is full. */
async function fillToTheReserve(ground: OwnGround): Promise<Finding> {
  const disk = await SmallDisk.mount(ground, 'reserve', RESERVE_BYTES);
  let turnedAway = 0;
  let words = '';
  const isTurnedAway = async (fileBytes: number): Promise<boolean> => {
    const outcome = await disk.push(fileBytes);
    if (outcome.kind !== 'turned away') return false;
    turnedAway++;
    const { status, retryAfter, reason } = outcome;
    words = `${status}, Retry-After ${retryAfter}: ${reason}`;
    if (status !== 503 || !(Number(retryAfter) > 0) || reason === '') {
      disk.broken.push(`a push was turned away with ${words}`);
    }
    return true;
  };

  // Between two looks at the disk more may come in than the reserve: that fails in the midst, or for want of room.
  if (!(await becomesTrue(() => isTurnedAway(FILE_BYTES), SEEN_MS))) {
    disk.broken.push('pushes were taken beyond the reserve');
  }
  await pressOn(ground, disk, async () => {
    if (!(await isTurnedAway(LARGE_FILE_BYTES))) disk.broken.push('a push was taken below the reserve');
  });
  const shown = await disk.refusalByGit();
  if (!/^remote: .*disk space/m.test(shown)) disk.broken.push(`git showed ${shown}`);
  disk.dropBallast();
  const isTaken = async (): Promise<boolean> => (await disk.push(FILE_BYTES)).kind === 'acknowledged';
  if (!(await becomesTrue(isTaken, SEEN_MS))) disk.broken.push('with room again no push was taken');
  await disk.judge();
  const { broken } = await disk.server.judge();
  const figure = `with a reserve ${disk.heldCount} acknowledged, ${turnedAway} turned away (${words}), ${disk.cloneCount} clones`;
  return { figure, broken: [...disk.broken, ...broken].map((sentence) => `with a reserve: ${sentence}`) };
}

/** Pushes for as long as was asked, beside clones that must work. */
async function pressOn(
  { seconds }: OwnGround,
  disk: SmallDisk,
  pushOnce: () => Promise<unknown>,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const goOn = async (work: () => Promise<unknown>): Promise<void> => {
    while (performance.now() < end) await work();
  };
  await Promise.all([goOn(() => disk.clone()), goOn(pushOnce), goOn(pushOnce)]);
}

function mostFiles(): number {
  return Math.ceil((DISK_MEBIBYTES * MIB) / FILE_BYTES);
}

/** Whether `happens` comes true in so many attempts. */
async function anyOf(attempts: number, happens: () => Promise<boolean>): Promise<boolean> {
  for (let n = 0; n < attempts; n++) if (await happens()) return true;
  return false;
}
