/**
 * What client and server found they have in common, and whether that is enough: the same in every protocol
 * version.
 * Spec: gitprotocol-pack(5), "Packfile Negotiation"; gitprotocol-v2(5), "acknowledgments section".
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import type { Limits } from '../core/limits.ts';
import { bytesToHex, hexToBytes, type ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { CommitFields } from '../repository/commit.ts';
import { IdTable } from '../repository/id-table.ts';
import { allWantsReach } from '../repository/negotiation-reach.ts';
import { checkCount } from './fetch-context.ts';

/** Room for parents of merges; most commits have one. */
const PARENTS_A_HAVE = 4;

export interface NegotiationOptions extends Cancellable {
  readonly limits: Limits;
}

/** One negotiation. A `have` tells only that the client has the object, not that the object may be had here. */
export class Negotiation {
  readonly #reader: ObjectReader;
  readonly #options: NegotiationOptions;
  readonly #wants: readonly ObjectId[];
  /** Haves that we hold. */
  readonly #said: IdTable;
  /** Those and, of the commits among them, the parents. */
  readonly #theyHave: IdTable;
  readonly #common: ObjectId[] = [];
  readonly #commit: CommitFields;
  /** Earliest committer date among the commits the client has named. */
  #oldestDate = Number.POSITIVE_INFINITY;
  #isReady = false;
  /** How many haves there were when readiness was last found wanting: without another, it still is. */
  #saidWhenAsked = 0;

  constructor(reader: ObjectReader, wants: readonly ObjectId[], options: NegotiationOptions) {
    const mostIds = options.limits.maxHaves + 1;
    this.#reader = reader;
    this.#options = options;
    this.#wants = wants;
    this.#said = new IdTable(reader.format, mostIds);
    this.#theyHave = new IdTable(reader.format, PARENTS_A_HAVE * mostIds);
    this.#commit = new CommitFields(reader.format);
  }

  /**
   * The haves that we hold, each once and in order, but for those known already as the parent of another: they
   * say nothing new of what the client has.
   */
  get common(): readonly ObjectId[] {
    return this.#common;
  }

  /** The haves that we hold, each once and in order. */
  *held(): Generator<ObjectId, undefined> {
    const { ids, idBytes } = this.#said;
    for (let number = 0; number < this.#said.size; number++) yield bytesToHex(ids, number * idBytes, idBytes);
  }

  /**
   * The client has `id`.
   *
   * @returns whether we hold it too
   * @throws {GitError} LIMIT_EXCEEDED; OBJECT_CORRUPT
   */
  have(id: ObjectId): boolean {
    const rawId = hexToBytes(id);
    if (!this.#reader.hasRaw(rawId, 0)) return false;

    const saidBefore = this.#said.size;
    if (this.#said.add(rawId, 0) < saidBefore) return true;
    checkCount(this.#said.size, this.#options.limits.maxHaves, 'haves');

    const knownBefore = this.#theyHave.size;
    if (this.#theyHave.add(rawId, 0) === knownBefore) this.#common.push(id);
    if (this.#reader.readHeaderRaw(rawId, 0)?.kind === 'commit') this.#addParents(rawId);
    return true;
  }

  /**
   * Whether every wanted commit descends from something the client has, so that more haves would hardly make
   * the pack smaller: git's `ok_to_give_up`.
   */
  async isReady(): Promise<boolean> {
    if (this.#isReady || this.#said.size === this.#saidWhenAsked) return this.#isReady;
    this.#saidWhenAsked = this.#said.size;
    const { limits, signal } = this.#options;
    this.#isReady = await allWantsReach(this.#reader, this.#wants, this.#theyHave, this.#oldestDate, {
      limits,
      signal,
    });
    return this.#isReady;
  }

  #addParents(commitId: Uint8Array): void {
    const object = this.#reader.readRaw(commitId, 0);
    if (object === undefined) return;
    this.#commit.read(object.data);
    this.#oldestDate = Math.min(this.#oldestDate, this.#commit.date);
    for (let parent = 0; parent < this.#commit.parentCount; parent++) {
      this.#theyHave.add(this.#commit.parentIds, parent * this.#theyHave.idBytes);
    }
  }
}
