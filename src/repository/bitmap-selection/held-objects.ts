/**
 * What a client surely has besides what a short walk has marked: all that some ancestors of its commits reach, where that
 * is known. Deltas whose bases are among it can be sent as they are stored.
 *
 * @module
 */
import type { ObjectFormat } from '../../core/object-id.ts';
import { Bitset } from '../../pack/bitset.ts';
import type { CommitTable } from '../commit-table.ts';
import { ObjectTable } from '../object-table.ts';
import type { KnownReach } from './known-reach.ts';

/** Commits looked at for one whose reach is known; reading as many takes some milliseconds. */
const MOST_COMMITS = 2000;

/** Put together when it is first asked for: most fetches find all bases elsewhere. */
export class HeldObjects {
  readonly #known: KnownReach;
  readonly #commits: CommitTable;
  readonly #tips: readonly number[];
  readonly #outside: ObjectTable;
  #held: Bitset | undefined;

  /** @param tips commits the client has with all they reach, by number in the table, which has no cuts */
  constructor(known: KnownReach, commits: CommitTable, tips: readonly number[], format: ObjectFormat) {
    this.#known = known;
    this.#commits = commits;
    this.#tips = tips;
    this.#outside = new ObjectTable(format, Number.MAX_SAFE_INTEGER);
  }

  /** False means "not known". */
  has(ids: Uint8Array, at: number): boolean {
    const held = (this.#held ??= this.#gather());
    const position = this.#known.positionOf(ids, at);
    return position >= 0 ? held.has(position) : this.#outside.find(ids, at) >= 0;
  }

  /** Follow lines of first parents to the first commit whose reach is known. */
  #gather(): Bitset {
    const commits = this.#commits;
    const held = new Bitset(this.#known.size);
    let looked = 0;
    for (const tip of this.#tips) {
      for (let number = tip; number >= 0 && looked++ < MOST_COMMITS; ) {
        const { ids, idBytes } = commits.ids;
        const position = this.#known.positionOf(ids, number * idBytes);
        if (position >= 0 && held.has(position)) break;
        if (this.#known.addReachable(ids, number * idBytes, held, this.#outside)) break;
        if (!commits.load(number)) break;
        const start = commits.parentStarts[number] as number;
        number = start === commits.parentEnds[number] ? -1 : (commits.parents[start] as number);
      }
    }
    return held;
  }
}
