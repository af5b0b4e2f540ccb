/**
 * The arguments of `ls-refs`.
 * Spec: gitprotocol-v2(5), "ls-refs".
 *
 * @module
 */
import type { Limits } from '../../core/limits.ts';
import { violation } from '../fetch-context.ts';

export interface LsRefsRequest {
  readonly peel: boolean;
  readonly symrefs: boolean;
  readonly unborn: boolean;
  /** Empty for every ref. */
  readonly prefixes: readonly string[];
}

export interface LsRefsRules extends Pick<Limits, 'maxRefPrefixes'> {
  /** Whether `unborn` counts when it is asked for. Default true. */
  readonly servesUnborn?: boolean | undefined;
}

/** Takes the lines of one request. */
export class LsRefsParser {
  readonly #maxPrefixes: number;
  readonly #servesUnborn: boolean;
  #peel = false;
  #symrefs = false;
  #unborn = false;
  #prefixes: string[] = [];

  constructor({ maxRefPrefixes, servesUnborn = true }: LsRefsRules) {
    this.#maxPrefixes = maxRefPrefixes;
    this.#servesUnborn = servesUnborn;
  }

  /** @throws {GitError} PROTOCOL_VIOLATION, with words for the client */
  read(line: string): void {
    if (line === 'peel') this.#peel = true;
    else if (line === 'symrefs') this.#symrefs = true;
    else if (line === 'unborn') this.#unborn = this.#servesUnborn;
    else if (line.startsWith('ref-prefix ')) this.#readPrefix(line.slice('ref-prefix '.length));
    else throw violation(`unexpected line: '${line}'`);
  }

  finish(): LsRefsRequest {
    // Too many to be kept: then none may count, for together they would have been a complete list.
    const isTooMany = this.#prefixes.length >= this.#maxPrefixes;
    return {
      peel: this.#peel,
      symrefs: this.#symrefs,
      unborn: this.#unborn,
      prefixes: isTooMany ? [] : this.#prefixes,
    };
  }

  #readPrefix(prefix: string): void {
    if (this.#prefixes.length < this.#maxPrefixes) this.#prefixes.push(prefix);
  }
}
