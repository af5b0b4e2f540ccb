/**
 * The prefixes of a ref listing: which names they select, and which directories hold such names.
 * Spec: gitprotocol-v2(5), "ls-refs", `ref-prefix`.
 *
 * @module
 */
import { compareRefNames } from './ref-name.ts';

/**
 * Prefixes in byte order, none of them a prefix of another. So the only one that can match a name is the last
 * that is not greater than it: a lookup is one binary search however many there are.
 */
export class RefPrefixes {
  readonly sorted: readonly string[];

  /** No prefixes select every ref under `refs/`. */
  constructor(prefixes: readonly string[] | undefined) {
    const sorted: string[] = [];
    for (const prefix of prefixes === undefined || prefixes.length === 0
      ? ['refs/']
      : [...prefixes].sort(compareRefNames)) {
      const last = sorted.at(-1);
      if (last === undefined || !prefix.startsWith(last)) sorted.push(prefix);
    }
    this.sorted = sorted;
  }

  /** @returns whether the ref `name` is selected */
  selects(name: string): boolean {
    const candidate = this.sorted[this.#countUpTo(name) - 1];
    return candidate !== undefined && name.startsWith(candidate);
  }

  /** @returns whether some name under `directory`, which ends with a slash, can be selected */
  reaches(directory: string): boolean {
    const count = this.#countUpTo(directory);
    const before = this.sorted[count - 1];
    if (before !== undefined && directory.startsWith(before)) return true;
    return this.sorted[count]?.startsWith(directory) === true;
  }

  /** How many prefixes are not greater than `name`. */
  #countUpTo(name: string): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareRefNames(this.sorted[middle] as string, name) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
