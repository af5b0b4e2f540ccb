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
import type { DetectingBatch, DetectingSha1 } from './sha1/detecting-sha1.ts';
import { createPlainSha1 } from './sha1/plain-sha1.ts';
import { createWasmSha1 } from './sha1/wasm-sha1.ts';

/** All members throw {@link GitError} SHA1_COLLISION with `detail.id` for bytes that carry an attack. */
export interface ObjectHasher {
  /** As {@link Runtime.hashInto}. The id is written even if it throws. */
  hashInto(bytes: Uint8Array, start: number, end: number, target: Uint8Array, targetOffset: number): void;
  /** As {@link Runtime.createHash}; `digest` throws. */
  createHash(): IncrementalHash;
  /** For thousands of objects whose ids are not needed one by one: up to twice as fast. Takes some MB of memory. */
  createBatch(): HashBatch;
}

export interface HashBatch {
  /** Hash `bytes[start, end)`, now or later: its id goes to `ids[at]`, at the latest by {@link flush} to the same array. */
  add(bytes: Uint8Array, start: number, end: number, ids: Uint8Array, at: number): void;
  /** Hash all that was added. */
  flush(): void;
}

let detecting: DetectingSha1 | undefined;

/** The collision-detecting SHA-1 of this thread. */
export function detectingSha1(): DetectingSha1 {
  detecting ??= createWasmSha1() ?? createPlainSha1();
  return detecting;
}

export function createObjectHasher(
  runtime: Runtime,
  format: ObjectFormat,
  collisionDetection: boolean,
): ObjectHasher {
  if (format.name === 'sha1' && collisionDetection) return new DetectingHasher(format, detectingSha1());
  const hashInto: ObjectHasher['hashInto'] = (bytes, start, end, target, targetOffset) =>
    runtime.hashInto(format, bytes, start, end, target, targetOffset);
  return {
    hashInto,
    createHash: () => runtime.createHash(format),
    createBatch: () => ({ add: hashInto, flush() {} }),
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

  createBatch(): HashBatch {
    const batch = this.#sha1.createBatch?.();
    if (batch !== undefined) return new DetectingHashBatch(this, batch, this.#format);
    return {
      add: (bytes, start, end, ids, at) => this.hashInto(bytes, start, end, ids, at),
      flush() {},
    };
  }
}

class DetectingHashBatch implements HashBatch {
  readonly #alone: ObjectHasher;
  readonly #batch: DetectingBatch;
  readonly #format: ObjectFormat;
  #ids: Uint8Array = new Uint8Array(0);
  #attacked = -1;

  constructor(alone: ObjectHasher, batch: DetectingBatch, format: ObjectFormat) {
    this.#alone = alone;
    this.#batch = batch;
    this.#format = format;
  }

  add(bytes: Uint8Array, start: number, end: number, ids: Uint8Array, at: number): void {
    if (ids !== this.#ids) {
      this.flush();
      this.#ids = ids;
    }
    if (this.#batch.add(bytes, start, end, at)) return;
    this.flush();
    if (!this.#batch.add(bytes, start, end, at)) this.#alone.hashInto(bytes, start, end, ids, at);
  }

  flush(): void {
    this.#batch.flush(this.#take);
    if (this.#attacked < 0) return;
    const at = this.#attacked;
    this.#attacked = -1;
    throw collision(this.#ids, at, this.#format);
  }

  readonly #take = (key: number, ids: Uint8Array, at: number, isAttacked: boolean): void => {
    const target = this.#ids;
    for (let i = 0; i < this.#format.idBytes; i++) target[key + i] = ids[at + i] as number;
    if (isAttacked) this.#attacked = key;
  };
}

function collision(ids: Uint8Array, at: number, { idBytes }: ObjectFormat): GitError {
  const id = bytesToHex(ids, at, idBytes);
  return new GitError(
    'SHA1_COLLISION',
    `Cannot accept object ${id}: its content is made to collide with another of the same SHA-1`,
    { id },
  );
}
