/**
 * The candidates of the delta search as they are collected, and put into order.
 *
 * @module
 */

/** In {@link DeltaCandidates.targets}: serves as a base, needs no delta itself. */
export const BASE_ONLY = -1;

export interface DeltaCandidates {
  readonly count: number;
  /** Candidates in the order of the search: by kind, name hash, then size from large to small. */
  readonly order: Uint32Array;
  /** Per candidate: a position, or `FIRST_PREFERRED - n` for the selection's preferred base n. */
  readonly sources: Int32Array;
  /** Per candidate: its number among the searched objects, or {@link BASE_ONLY}. */
  readonly targets: Int32Array;
  /** Per candidate: kind code. */
  readonly kinds: Uint8Array;
  /** Per candidate: content bytes. */
  readonly sizes: Float64Array;
}

/** Which kinds and name hashes were added: an answer of `true` may be wrong, `false` never is. */
export class NameFilter {
  readonly #bits = new Uint8Array(0x10000);

  add(kind: number, nameHash: number): void {
    this.#bits[(nameHash ^ (nameHash >>> 16)) & 0xffff]! |= 1 << kind;
  }

  has(kind: number, nameHash: number): boolean {
    return ((this.#bits[(nameHash ^ (nameHash >>> 16)) & 0xffff] as number) & (1 << kind)) !== 0;
  }
}

export class CandidateTable {
  count = 0;
  #sources: Int32Array;
  #targets: Int32Array;
  #kinds: Uint8Array;
  #nameHashes: Uint32Array;
  #sizes: Float64Array;

  constructor(room: number) {
    this.#sources = new Int32Array(room);
    this.#targets = new Int32Array(room);
    this.#kinds = new Uint8Array(room);
    this.#nameHashes = new Uint32Array(room);
    this.#sizes = new Float64Array(room);
  }

  add(source: number, target: number, kind: number, nameHash: number, sizeBytes: number): void {
    if (this.count === this.#sources.length) this.#grow();
    this.#sources[this.count] = source;
    this.#targets[this.count] = target;
    this.#kinds[this.count] = kind;
    this.#nameHashes[this.count] = nameHash;
    this.#sizes[this.count] = sizeBytes;
    this.count++;
  }

  sorted(): DeltaCandidates {
    const kinds = this.#kinds;
    const nameHashes = this.#nameHashes;
    const sizes = this.#sizes;
    const targets = this.#targets;
    const order = Uint32Array.from({ length: this.count }, (_, candidate) => candidate);
    order.sort(
      (a, b) =>
        (kinds[a] as number) - (kinds[b] as number) ||
        (nameHashes[a] as number) - (nameHashes[b] as number) ||
        // What only serves as a base goes first among its likes, so that the others can make use of it.
        Number(targets[a] !== BASE_ONLY) - Number(targets[b] !== BASE_ONLY) ||
        (sizes[b] as number) - (sizes[a] as number) ||
        a - b,
    );
    return { count: this.count, order, sources: this.#sources, targets, kinds, sizes };
  }

  #grow(): void {
    const room = 2 * this.count + 64;
    this.#sources = grown(this.#sources, new Int32Array(room));
    this.#targets = grown(this.#targets, new Int32Array(room));
    this.#kinds = grown(this.#kinds, new Uint8Array(room));
    this.#nameHashes = grown(this.#nameHashes, new Uint32Array(room));
    this.#sizes = grown(this.#sizes, new Float64Array(room));
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
