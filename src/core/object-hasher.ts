/**
 * Computing the ids of objects, with or without looking for SHA-1 collision attacks.
 *
 * Objects that a peer sends are hashed with detection, as git does: who can make two objects of one id could show
 * reviewers the one and deliver the other. What we hash for ourselves (trailers of packs, objects we make) is not.
 * SHA-256 needs none of it.
 *
 * @module
 */
import { GitError } from './errors.ts';
import { bytesToHex, type ObjectFormat } from './object-id.ts';
import type { IncrementalHash, Runtime } from './runtime.ts';
import { type DetectingBatch, type DetectingSha1, USUAL_BATCHED_BYTES } from './sha1/detecting-sha1.ts';
import { createPlainSha1 } from './sha1/plain-sha1.ts';
import { createWasmSha1 } from './sha1/wasm-sha1.ts';

export { USUAL_BATCHED_BYTES };

/** All members throw {@link GitError} SHA1_COLLISION with `detail.id` for bytes that carry an attack. */
export interface ObjectHasher {
  /** As {@link Runtime.hashInto}. The id is written even if it throws. */
  hashInto(bytes: Uint8Array, start: number, end: number, target: Uint8Array, targetOffset: number): void;
  /** As {@link Runtime.createHash}; `digest` throws. */
  createHash(): IncrementalHash;
  /**
   * For thousands of objects whose ids are not needed one by one: takes three fifths of the time, and up to 4 MB of memory.
   *
   * @param ids gives the array for the ids, asked for whenever some are known
   * @param forLarge whether objects above {@link USUAL_BATCHED_BYTES} are to be hashed together too: takes three times the memory
   */
  createBatch(ids: () => Uint8Array, forLarge?: boolean): HashBatch;
}

export interface HashBatch {
  /** Hash `bytes[start, end)`, now or at {@link flush} at the latest; its id goes to `at` in the array of ids. */
  add(bytes: Uint8Array, start: number, end: number, at: number): void;
  /** Hash all that was added. */
  flush(): void;
}

let detecting: DetectingSha1 | undefined;

/** One for the thread: it compiles 13 kB of code, and has memory of its own. */
function detectingSha1(): DetectingSha1 {
  detecting ??= createWasmSha1() ?? createPlainSha1();
  return detecting;
}

export function createObjectHasher(
  runtime: Runtime,
  format: ObjectFormat,
  collisionDetection: boolean,
): ObjectHasher {
  if (format.name === 'sha1' && collisionDetection) {
    return new DetectingHasher(format, runtime.detectingSha1 ?? detectingSha1());
  }
  const hashInto: ObjectHasher['hashInto'] = (bytes, start, end, target, targetOffset) =>
    runtime.hashInto(format, bytes, start, end, target, targetOffset);
  return {
    hashInto,
    createHash: () => runtime.createHash(format),
    createBatch: (ids) => oneByOne(hashInto, ids),
  };
}

class DetectingHasher implements ObjectHasher {
  readonly #format: ObjectFormat;
  readonly #sha1: DetectingSha1;

  constructor(format: ObjectFormat, sha1: DetectingSha1) {
    this.#format = format;
    this.#sha1 = sha1;
  }

  hashInto(bytes: Uint8Array, start: number, end: number, target: Uint8Array, targetOffset: number): void {
    if (this.#sha1.hashInto(bytes, start, end, target, targetOffset))
      throw collision(target, targetOffset, this.#format);
  }

  createHash(): IncrementalHash {
    const hash = this.#sha1.createHash();
    return {
      update: (bytes) => hash.update(bytes),
      digest: () => {
        const id = hash.digest();
        if (hash.isAttacked) throw collision(id, 0, this.#format);
        return id;
      },
    };
  }

  createBatch(ids: () => Uint8Array, forLarge?: boolean): HashBatch {
    const batch = this.#sha1.createBatch?.(forLarge);
    if (batch !== undefined) return new DetectingHashBatch(this, batch, this.#format, ids);
    return oneByOne((bytes, start, end, target, at) => this.hashInto(bytes, start, end, target, at), ids);
  }
}

class DetectingHashBatch implements HashBatch {
  readonly #alone: ObjectHasher;
  readonly #batch: DetectingBatch;
  readonly #format: ObjectFormat;
  readonly #ids: () => Uint8Array;
  /** Where the id of an attacked object is, or -1. */
  #attacked = -1;

  constructor(alone: ObjectHasher, batch: DetectingBatch, format: ObjectFormat, ids: () => Uint8Array) {
    this.#alone = alone;
    this.#batch = batch;
    this.#format = format;
    this.#ids = ids;
  }

  add(bytes: Uint8Array, start: number, end: number, at: number): void {
    if (end - start > this.#batch.mostBytes) {
      this.#alone.hashInto(bytes, start, end, this.#ids(), at);
    } else if (!this.#batch.add(bytes, start, end, at)) {
      this.#flush(false);
      this.#batch.add(bytes, start, end, at);
    }
  }

  flush(): void {
    this.#flush(true);
  }

  #flush(all: boolean): void {
    const target = this.#ids();
    const { idBytes } = this.#format;
    this.#batch.flush(all, (at, ids, from, isAttacked) => {
      for (let i = 0; i < idBytes; i++) target[at + i] = ids[from + i] as number;
      if (isAttacked) this.#attacked = at;
    });
    if (this.#attacked >= 0) throw collision(target, this.#attacked, this.#format);
  }
}

function oneByOne(hashInto: ObjectHasher['hashInto'], ids: () => Uint8Array): HashBatch {
  return { add: (bytes, start, end, at) => hashInto(bytes, start, end, ids(), at), flush() {} };
}

function collision(ids: Uint8Array, at: number, { idBytes }: ObjectFormat): GitError {
  const id = bytesToHex(ids, at, idBytes);
  return new GitError(
    'SHA1_COLLISION',
    `Cannot accept object ${id}: its content is made to collide with another of the same SHA-1`,
    { id },
  );
}
