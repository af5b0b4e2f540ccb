/**
 * A SHA-1 that takes certain bytes for an attack. No published collision begins as a git object does, so no object can
 * be made of one: its header changes the state that the colliding blocks begin with.
 *
 * @module
 */
import { concatBytes } from '../../src/core/bytes.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import type { DetectingBatch, DetectingHash, DetectingSha1 } from '../../src/core/sha1/detecting-sha1.ts';
import { createWasmSha1 } from '../../src/core/sha1/wasm-sha1.ts';

/** Content with this in it is an attack. */
export const ATTACK = 'pretend that this collides';

/** Node's runtime with that SHA-1; `log` hears how each hash was computed. */
export function suspiciousRuntime(log: (how: 'whole' | 'pieces' | 'batch') => void = () => {}): Runtime {
  const real = createWasmSha1() as Required<DetectingSha1>;
  const detectingSha1: DetectingSha1 = {
    ...real,
    hashInto(bytes, start, end, target, targetOffset) {
      log('whole');
      real.hashInto(bytes, start, end, target, targetOffset);
      return isAttack(bytes.subarray(start, end));
    },
    createHash() {
      log('pieces');
      return new SuspiciousHash(real.createHash());
    },
    createBatch: (forLarge) => suspiciousBatch(real.createBatch(forLarge), log),
  };
  return { ...nodeRuntime, detectingSha1 };
}

class SuspiciousHash implements DetectingHash {
  isAttacked = false;
  readonly #real: DetectingHash;
  readonly #parts: Uint8Array[] = [];

  constructor(real: DetectingHash) {
    this.#real = real;
  }

  update(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice());
    this.#real.update(bytes);
  }

  digest(): Uint8Array {
    this.isAttacked = isAttack(concatBytes(...this.#parts));
    return this.#real.digest();
  }
}

function suspiciousBatch(real: DetectingBatch, log: (how: 'batch') => void): DetectingBatch {
  const attacked = new Set<number>();
  return {
    mostBytes: real.mostBytes,
    add(bytes, start, end, key) {
      if (!real.add(bytes, start, end, key)) return false;
      log('batch');
      if (isAttack(bytes.subarray(start, end))) attacked.add(key);
      return true;
    },
    flush(all, found) {
      real.flush(all, (key, ids, at) => found(key, ids, at, attacked.delete(key)));
    },
  };
}

function isAttack(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(ATTACK);
}
