/**
 * What a server has promised: refs that it said `ok` to, to be held against what it has in the end.
 *
 * @module
 */

/** For refs that only one client writes, one push at a time. */
export class Acknowledged {
  /** What a ref may hold: one value once the server has said `ok`, more while it has not answered. */
  readonly #allowed = new Map<string, Set<string | undefined>>();
  count = 0;

  /** A push is about to be sent. `undefined` deletes. */
  attempt(ref: string, id: string | undefined): void {
    this.#allowed.set(ref, new Set([...(this.#allowed.get(ref) ?? [undefined]), id]));
  }

  /** The server said `ok`. */
  acknowledge(ref: string, id: string | undefined): void {
    this.count++;
    this.#allowed.set(ref, new Set([id]));
  }

  /** The server said no, so that the ref holds what it held. @param held its value before; `undefined` for none */
  refuse(ref: string, held: string | undefined): void {
    this.#allowed.set(ref, new Set([held]));
  }

  /** @returns one sentence for each promise that `held` (name to id) breaks */
  broken(held: ReadonlyMap<string, string>): string[] {
    const found: string[] = [];
    for (const [ref, allowed] of this.#allowed) {
      const id = held.get(ref);
      if (!allowed.has(id)) found.push(`${ref} holds ${id}, not ${[...allowed].join(' or ')}`);
    }
    return found;
  }
}

/** For a ref that many write at once: the pushes that were acknowledged follow one another, and the last one holds. */
export class ContendedRef {
  readonly #next = new Map<string, string>();
  readonly #twice: string[] = [];

  acknowledge(oldId: string, newId: string): void {
    if (this.#next.has(oldId)) this.#twice.push(`two pushes were acknowledged on top of ${oldId}`);
    this.#next.set(oldId, newId);
  }

  get count(): number {
    return this.#next.size;
  }

  /** @param first what the ref held before all. @param held what it holds now */
  broken(first: string, held: string | undefined): string[] {
    let last = first;
    let steps = 0;
    for (let id = this.#next.get(last); id !== undefined; id = this.#next.get(last)) {
      last = id;
      steps++;
    }
    return [
      ...this.#twice,
      ...(steps === this.#next.size
        ? []
        : [`of ${this.#next.size} acknowledged pushes ${steps} follow one another`]),
      ...(last === held ? [] : [`the ref holds ${held}, the last acknowledged push made it ${last}`]),
    ];
  }
}
