/**
 * The arguments of `fetch`.
 * Spec: gitprotocol-v2(5), "fetch".
 *
 * @module
 */
import type { Limits } from '../../core/limits.ts';
import { isObjectId, type ObjectFormat, type ObjectId } from '../../core/object-id.ts';
import type { ObjectFilter } from '../../repository/object-filter.ts';
import { type DepthRequest, DepthRequestParser } from '../depth-request.ts';
import { checkCount, violation } from '../fetch-context.ts';
import { readFilter } from '../filter-request.ts';
import type { FilterRules } from '../filter-rules.ts';

export interface FetchRequest {
  /** In order, each once. */
  readonly wants: readonly ObjectId[];
  /** Names of refs to want the objects of: in order, each once. */
  readonly wantRefs: readonly string[];
  /** In order, each once. */
  readonly haves: readonly ObjectId[];
  readonly depth: DepthRequest;
  readonly filter: ObjectFilter | undefined;
  readonly done: boolean;
  readonly waitForDone: boolean;
  readonly thinPack: boolean;
  readonly ofsDelta: boolean;
  readonly noProgress: boolean;
  readonly includeTag: boolean;
  /** The whole answer is to come in bands. */
  readonly sidebandAll: boolean;
  /** How the client gets packs from elsewhere, such as `https`; it does not where there are none. */
  readonly uriProtocols: readonly string[];
}

export interface FetchRequestRules {
  readonly format: ObjectFormat;
  readonly limits: Limits;
  readonly allowFilter: boolean;
  readonly filterRules: FilterRules;
  readonly allowRefInWant: boolean;
  readonly allowSidebandAll: boolean;
  readonly allowPackfileUris: boolean;
}

const FLAGS: ReadonlySet<string> = new Set([
  'done',
  'wait-for-done',
  'thin-pack',
  'ofs-delta',
  'no-progress',
  'include-tag',
]);

/** Takes the lines of one request. */
export class FetchRequestParser {
  readonly #rules: FetchRequestRules;
  readonly #wants = new Set<ObjectId>();
  readonly #wantRefs = new Set<string>();
  readonly #haves = new Set<ObjectId>();
  readonly #flags = new Set<string>();
  readonly #depth: DepthRequestParser;
  #filter: ObjectFilter | undefined;
  #uriProtocols: readonly string[] | undefined;

  constructor(rules: FetchRequestRules) {
    this.#rules = rules;
    this.#depth = new DepthRequestParser(rules.format, rules.limits);
  }

  /** @throws {GitError} PROTOCOL_VIOLATION, LIMIT_EXCEEDED, with words for the client */
  read(line: string): void {
    const { limits } = this.#rules;
    if (FLAGS.has(line)) {
      this.#flags.add(line);
    } else if (line === 'deepen-relative') {
      this.#depth.relative = true;
    } else if (line.startsWith('have ')) {
      this.#haves.add(this.#readId(line, 'have '));
      checkCount(this.#haves.size, limits.maxHaves, 'haves');
    } else if (line.startsWith('want ')) {
      this.#wants.add(this.#readId(line, 'want '));
      checkCount(this.#wants.size + this.#wantRefs.size, limits.maxWants, 'wants');
    } else if (line.startsWith('want-ref ') && this.#rules.allowRefInWant) {
      this.#readWantRef(line.slice('want-ref '.length));
    } else if (line === 'sideband-all' && this.#rules.allowSidebandAll) {
      this.#flags.add(line);
    } else if (line.startsWith('filter ') && this.#rules.allowFilter) {
      this.#filter = readFilter(line.slice('filter '.length), this.#filter, this.#rules.filterRules);
    } else if (line.startsWith('packfile-uris ') && this.#rules.allowPackfileUris) {
      if (this.#uriProtocols !== undefined) throw violation('multiple packfile-uris lines forbidden');
      this.#uriProtocols = line.slice('packfile-uris '.length).split(',');
    } else if (!this.#depth.read(line)) {
      throw violation(`unexpected line: '${line}'`);
    }
  }

  /** @throws {GitError} PROTOCOL_VIOLATION */
  finish(): FetchRequest {
    const flags = this.#flags;
    return {
      wants: [...this.#wants],
      wantRefs: [...this.#wantRefs],
      haves: [...this.#haves],
      depth: this.#depth.finish(),
      filter: this.#filter,
      done: flags.has('done'),
      waitForDone: flags.has('wait-for-done'),
      thinPack: flags.has('thin-pack'),
      ofsDelta: flags.has('ofs-delta'),
      noProgress: flags.has('no-progress'),
      includeTag: flags.has('include-tag'),
      sidebandAll: flags.has('sideband-all'),
      // What is left out is only known once the bands are in use.
      uriProtocols: flags.has('sideband-all') ? (this.#uriProtocols ?? []) : [],
    };
  }

  #readWantRef(name: string): void {
    if (this.#wantRefs.has(name)) throw violation(`duplicate want-ref ${name}`);
    this.#wantRefs.add(name);
    checkCount(this.#wants.size + this.#wantRefs.size, this.#rules.limits.maxWants, 'wants');
  }

  #readId(line: string, keyword: string): ObjectId {
    const id = line.slice(keyword.length);
    if (isObjectId(id, this.#rules.format)) return id;
    throw violation(`upload-pack: protocol error, expected to get oid, not '${line}'`);
  }
}
