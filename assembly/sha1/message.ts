/**
 * One message: four blocks at a time up to the rounds, which follow block after block.
 *
 * @module
 */
import { survivingVectors } from './conditions'; // written by ../unavoidable-conditions.ts
import { expand } from './expand';
import { CHAINING, LANES, STATES, SURVIVORS } from './layout';
import { isAttacked } from './recompress';
import { initialWord, rounds } from './rounds';

/** Begin a message. */
export function reset(): void {
  for (let word: i32 = 0; word < 5; word++) store<u32>(CHAINING + word * 4, initialWord(word));
}

/**
 * Take in `count` whole blocks. Three blocks more may be read, whatever they hold.
 *
 * @returns how many of them belong to a collision attack
 */
export function compress(blocks: usize, count: i32): i32 {
  let attacked: i32 = 0;
  for (; count > 0; count -= LANES) {
    expand(blocks, blocks + 64, blocks + 128, blocks + 192);
    const lanes: usize = min(count, LANES) * 4;
    const survivors = survivingVectors();
    if (v128.any_true(survivors)) {
      v128.store(SURVIVORS, survivors);
      for (let lane: usize = 0; lane < lanes; lane += 4) {
        rounds(lane);
        const vectors = load<u32>(SURVIVORS + lane);
        if (vectors !== 0) attacked += isAttacked(lane, vectors, STATES, 4);
      }
    } else {
      for (let lane: usize = 0; lane < lanes; lane += 4) rounds(lane);
    }
    blocks += 64 * LANES;
  }
  return attacked;
}

/**
 * Take in the last `lengthBytes` bytes of a message of `totalBytes`. Up to 72 bytes behind them are overwritten. The
 * id is left where the chaining value was.
 *
 * @returns as {@link compress}
 */
export function finish(bytes: usize, lengthBytes: i32, totalBytes: f64): i32 {
  const attacked = compress(bytes, pad(bytes, lengthBytes, totalBytes));
  storeId(CHAINING, 4, CHAINING);
  return attacked;
}

/** {@link reset} and {@link finish}: a message in one piece. */
export function hash(bytes: usize, lengthBytes: i32): i32 {
  reset();
  return finish(bytes, lengthBytes, lengthBytes);
}

/**
 * Write the padding behind the last `lengthBytes` bytes of a message of `totalBytes`.
 *
 * @returns how many blocks they are now
 */
export function pad(bytes: usize, lengthBytes: i32, totalBytes: f64): i32 {
  const blocks = ((lengthBytes + 8) >>> 6) + 1;
  const end = bytes + lengthBytes;
  const last = bytes + (blocks << 6);
  store<u8>(end, 0x80);
  memory.fill(end + 1, 0, last - end - 1);
  store<u64>(last - 8, bswap<u64>(<u64>totalBytes << 3));
  return blocks;
}

/** Store the chaining value at `state`, `stride` bytes from word to word, as the twenty bytes of an id. */
export function storeId(state: usize, stride: usize, to: usize): void {
  for (let word: usize = 0; word < 5; word++) {
    store<u32>(to + word * 4, bswap<u32>(load<u32>(state + word * stride)));
  }
}
