/**
 * Many messages: four at a time, one in each lane, the rounds too.
 *
 * @module
 */
import { survivingVectors } from './conditions'; // written by ../unavoidable-conditions.ts
import { expand } from './expand';
import {
  AFTER,
  CHAINING,
  JOBS,
  JOB_BYTES,
  LANES,
  LANE_BLOCKS,
  LANE_JOBS,
  LANE_LEFT,
  LANE_STATES,
  SURVIVORS,
} from './layout';
import { compress, storeId } from './message';
import { isAttacked } from './recompress';
import { roundsOfLanes } from './rounds';

/** With fewer lanes in use than this, one message after another is faster. */
const FEWEST_LANES: i32 = 3;

let nextJob: usize = 0;
let endOfJobs: usize = 0;

/**
 * Work on `count` padded messages, whose places stand at JOBS, and note there how far they have come. Give the longest
 * first: then lanes are seldom left alone with a long one.
 *
 * @param all whether to go on when too few are left to be worked on together; otherwise one or two may stay unfinished
 */
export function hashMany(count: i32, all: boolean): void {
  nextJob = JOBS;
  endOfJobs = JOBS + count * JOB_BYTES;
  let inUse: i32 = 0;
  for (let lane: usize = 0; lane < 16; lane += 4) if (takeJob(lane)) inUse++;
  while (inUse >= FEWEST_LANES) {
    const blocks = blocksTogether();
    compressLanes(blocks);
    for (let lane: usize = 0; lane < 16; lane += 4) {
      const left = load<i32>(LANE_LEFT + lane);
      if (left === 0) continue;
      store<i32>(LANE_LEFT + lane, left - blocks);
      if (left > blocks) continue;
      const job = load<usize>(LANE_JOBS + lane);
      store<i32>(job, 0, 4);
      storeId(LANE_STATES + AFTER + lane, 16, job + 8);
      if (!takeJob(lane)) inUse--;
    }
  }
  for (let lane: usize = 0; lane < 16; lane += 4) {
    if (load<i32>(LANE_LEFT + lane) === 0) continue;
    putDown(lane);
    if (all) finishAlone(load<usize>(LANE_JOBS + lane));
  }
}

/** @returns whether there was one left */
function takeJob(lane: usize): boolean {
  const job = nextJob;
  if (job === endOfJobs) {
    store<i32>(LANE_LEFT + lane, 0);
    return false;
  }
  nextJob += JOB_BYTES;
  store<usize>(LANE_JOBS + lane, job);
  store<usize>(LANE_BLOCKS + lane, load<usize>(job));
  store<i32>(LANE_LEFT + lane, load<i32>(job, 4));
  for (let word: usize = 0; word < 5; word++) {
    store<i32>(LANE_STATES + AFTER + word * 16 + lane, load<i32>(job + 8 + word * 4));
  }
  return true;
}

/** Note how far the message of a lane has come. */
function putDown(lane: usize): void {
  const job = load<usize>(LANE_JOBS + lane);
  store<usize>(job, load<usize>(LANE_BLOCKS + lane));
  store<i32>(job, load<i32>(LANE_LEFT + lane), 4);
  for (let word: usize = 0; word < 5; word++) {
    store<i32>(job + 8 + word * 4, load<i32>(LANE_STATES + AFTER + word * 16 + lane));
  }
}

/** How many blocks every lane in use has left. One that is not in use goes over the blocks of another. */
function blocksTogether(): i32 {
  let fewest = i32.MAX_VALUE;
  let some: usize = 0;
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const left = load<i32>(LANE_LEFT + lane);
    if (left === 0 || left >= fewest) continue;
    fewest = left;
    some = load<usize>(LANE_BLOCKS + lane);
  }
  for (let lane: usize = 0; lane < 16; lane += 4) {
    if (load<i32>(LANE_LEFT + lane) === 0) store<usize>(LANE_BLOCKS + lane, some);
  }
  return fewest;
}

/** The next `count` blocks of all lanes. */
function compressLanes(count: i32): void {
  const bytes: usize = <usize>count << 6;
  const p0 = load<usize>(LANE_BLOCKS, 0);
  const p1 = load<usize>(LANE_BLOCKS, 4);
  const p2 = load<usize>(LANE_BLOCKS, 8);
  const p3 = load<usize>(LANE_BLOCKS, 12);
  for (let at: usize = 0; at < bytes; at += 64) {
    expand(p0 + at, p1 + at, p2 + at, p3 + at);
    roundsOfLanes();
    const survivors = survivingVectors();
    if (v128.any_true(survivors)) checkLanes(survivors);
  }
  store<usize>(LANE_BLOCKS, p0 + bytes, 0);
  store<usize>(LANE_BLOCKS, p1 + bytes, 4);
  store<usize>(LANE_BLOCKS, p2 + bytes, 8);
  store<usize>(LANE_BLOCKS, p3 + bytes, 12);
}

function checkLanes(survivors: v128): void {
  v128.store(SURVIVORS, survivors);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const vectors = load<u32>(SURVIVORS + lane);
    if (vectors === 0 || load<i32>(LANE_LEFT + lane) === 0) continue;
    const attacked = isAttacked(lane, vectors, LANE_STATES + lane, 16);
    if (attacked !== 0) countAttacked(load<usize>(LANE_JOBS + lane), attacked);
  }
}

/** What is left of one message. */
function finishAlone(job: usize): void {
  memory.copy(CHAINING, job + 8, 20);
  countAttacked(job, compress(load<usize>(job), load<i32>(job, 4)));
  store<i32>(job, 0, 4);
  storeId(CHAINING, 4, job + 8);
}

function countAttacked(job: usize, blocks: i32): void {
  store<i32>(job, load<i32>(job, 28) + blocks, 28);
}
