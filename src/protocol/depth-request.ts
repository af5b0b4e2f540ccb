/**
 * The lines of a fetch request about shallow history, the same in every protocol version: what is cut off at
 * the client, and where it wants the cut to be.
 * Spec: gitprotocol-pack(5), "Packfile Negotiation"; gitprotocol-v2(5), "fetch".
 *
 * @module
 */
import type { Limits } from '../core/limits.ts';
import { isObjectId, type ObjectFormat, type ObjectId } from '../core/object-id.ts';
import { INFINITE_DEPTH } from '../repository/shallow.ts';
import { checkCount, violation } from './fetch-context.ts';

/** Largest time git reads: seconds since 1970 in 64 bits, which no JavaScript number holds exactly. */
const MAX_TIME_SECONDS = Number.MAX_SAFE_INTEGER;

export interface DepthRequest {
  /** Commits the client has without their parents. */
  readonly clientShallow: ReadonlySet<ObjectId>;
  /** Commits to send from each want, the want itself counted; 0 when not asked for. */
  readonly depth: number;
  /** Seconds since 1970: only commits that are younger. */
  readonly since: number | undefined;
  /** Names of refs, as the client wrote them, whose history is left out. */
  readonly not: readonly string[];
  /** Count {@link depth} from where the client's history ends. */
  readonly relative: boolean;
}

/** Gathers the lines of one request. */
export class DepthRequestParser {
  readonly #format: ObjectFormat;
  readonly #limits: Limits;
  readonly #clientShallow = new Set<ObjectId>();
  readonly #not: string[] = [];
  #depth = 0;
  #since: number | undefined;
  /** In v0 a capability, in v2 a line of its own. */
  relative = false;

  constructor(format: ObjectFormat, limits: Limits) {
    this.#format = format;
    this.#limits = limits;
  }

  /**
   * @returns false when the line is about something else
   * @throws {GitError} PROTOCOL_VIOLATION in git's words; LIMIT_EXCEEDED
   */
  read(line: string): boolean {
    const space = line.indexOf(' ');
    const value = line.slice(space + 1);
    switch (line.slice(0, Math.max(0, space))) {
      case 'shallow':
        if (!isObjectId(value, this.#format)) throw violation(`invalid shallow line: ${line}`);
        this.#clientShallow.add(value);
        break;
      case 'deepen':
        this.#depth = parseDecimal(value, INFINITE_DEPTH) ?? 0;
        if (this.#depth === 0) throw violation(`Invalid deepen: ${line}`);
        break;
      case 'deepen-since':
        this.#since = parseDecimal(value, MAX_TIME_SECONDS);
        if (this.#since === undefined) throw violation(`Invalid deepen-since: ${line}`);
        break;
      case 'deepen-not':
        this.#not.push(value);
        break;
      default:
        return false;
    }
    checkCount(
      this.#clientShallow.size + this.#not.length,
      this.#limits.maxShallowLines,
      'shallow and deepen lines',
    );
    return true;
  }

  /** @throws {GitError} PROTOCOL_VIOLATION when the lines contradict each other */
  finish(): DepthRequest {
    if (this.#depth > 0 && (this.#since !== undefined || this.#not.length > 0)) {
      throw violation('upload-pack: deepen and deepen-since (or deepen-not) cannot be used together');
    }
    return {
      clientShallow: this.#clientShallow,
      depth: this.#depth,
      since: this.#since,
      not: this.#not,
      relative: this.relative,
    };
  }
}

/** Whether the request moves the client's boundary, so that it gets shallow and unshallow lines. */
export function isDeepening({ depth, since, not }: DepthRequest): boolean {
  return depth > 0 || since !== undefined || not.length > 0;
}

function parseDecimal(text: string, most: number): number | undefined {
  if (!/^[0-9]{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}
