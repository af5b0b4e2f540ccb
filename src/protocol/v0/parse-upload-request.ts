/**
 * The upload request of protocol v0 and v1: wants, the capabilities chosen with them, depth and filter.
 * Spec: gitprotocol-pack(5), "Packfile Negotiation", `upload-request`.
 *
 * @module
 */
import type { Limits } from '../../core/limits.ts';
import { isObjectId, type ObjectFormat, type ObjectId } from '../../core/object-id.ts';
import type { ObjectFilter } from '../../repository/object-filter.ts';
import { parseCapabilities } from '../capabilities.ts';
import { type DepthRequest, DepthRequestParser } from '../depth-request.ts';
import { checkCount, violation } from '../fetch-context.ts';
import { readFilter } from '../filter-request.ts';
import type { FilterRules } from '../filter-rules.ts';
import { MAX_PACKET_BYTES } from '../pkt-line.ts';
import { SMALL_BAND_PACKET_BYTES } from '../side-band.ts';

export interface UploadRequest {
  /** In order, each once. Empty: the client wants nothing. */
  readonly wants: readonly ObjectId[];
  readonly depth: DepthRequest;
  readonly filter: ObjectFilter | undefined;
  readonly multiAck: 'none' | 'multi_ack' | 'multi_ack_detailed';
  readonly noDone: boolean;
  /** Largest packet of the side-band; 0 sends the pack without one. */
  readonly bandPacketBytes: number;
  readonly thinPack: boolean;
  readonly ofsDelta: boolean;
  readonly noProgress: boolean;
  readonly includeTag: boolean;
  /** How the client names itself, and its session. */
  readonly agent: string | undefined;
  readonly sessionId: string | undefined;
}

export interface UploadRequestRules {
  readonly format: ObjectFormat;
  readonly limits: Limits;
  readonly allowFilter: boolean;
  readonly filterRules: FilterRules;
}

/** Takes the lines of one request, up to its flush. */
export class UploadRequestParser {
  readonly #rules: UploadRequestRules;
  readonly #wants = new Set<ObjectId>();
  readonly #chosen = new Set<string>();
  readonly #depth: DepthRequestParser;
  #filter: ObjectFilter | undefined;
  #agent: string | undefined;
  #sessionId: string | undefined;

  constructor(rules: UploadRequestRules) {
    this.#rules = rules;
    this.#depth = new DepthRequestParser(rules.format, rules.limits);
  }

  /** @throws {GitError} PROTOCOL_VIOLATION, LIMIT_EXCEEDED, with words for the client */
  read(line: string): void {
    if (this.#depth.read(line)) return;
    if (line.startsWith('filter ')) this.#readFilter(line.slice('filter '.length));
    else this.#readWant(line);
  }

  /** @throws {GitError} PROTOCOL_VIOLATION */
  finish(): UploadRequest {
    const chosen = this.#chosen;
    this.#depth.relative = chosen.has('deepen-relative');
    return {
      wants: [...this.#wants],
      depth: this.#depth.finish(),
      filter: this.#filter,
      multiAck: chosen.has('multi_ack_detailed')
        ? 'multi_ack_detailed'
        : chosen.has('multi_ack')
          ? 'multi_ack'
          : 'none',
      noDone: chosen.has('no-done'),
      bandPacketBytes: chosen.has('side-band-64k')
        ? MAX_PACKET_BYTES
        : chosen.has('side-band')
          ? SMALL_BAND_PACKET_BYTES
          : 0,
      thinPack: chosen.has('thin-pack'),
      ofsDelta: chosen.has('ofs-delta'),
      noProgress: chosen.has('no-progress'),
      includeTag: chosen.has('include-tag'),
      agent: this.#agent,
      sessionId: this.#sessionId,
    };
  }

  #readWant(line: string): void {
    const { format, limits } = this.#rules;
    const idEnd = 'want '.length + format.idHexDigits;
    const id = line.slice('want '.length, idEnd);
    const features = line.slice(idEnd);
    if (
      !line.startsWith('want ') ||
      !isObjectId(id, format) ||
      !(features === '' || features.startsWith(' '))
    ) {
      throw violation(`upload-pack: protocol error, expected to get object ID, not '${line}'`);
    }
    this.#wants.add(id);
    checkCount(this.#wants.size, limits.maxWants, 'wants');
    if (features === '') return;

    for (const [name, value] of parseCapabilities(features)) {
      if (name === 'object-format' && value !== format.name) {
        throw violation(`mismatched object format: server ${format.name}; client ${value}`);
      }
      if (value === undefined) this.#chosen.add(name);
      else if (name === 'agent') this.#agent = value;
      else if (name === 'session-id') this.#sessionId = value;
    }
  }

  #readFilter(specification: string): void {
    if (!this.#rules.allowFilter || !this.#chosen.has('filter')) {
      throw violation('upload-pack: filtering capability not negotiated');
    }
    this.#filter = readFilter(specification, this.#filter, this.#rules.filterRules);
  }
}
