/**
 * What the parts of one fetch conversation share.
 *
 * @module
 */
import { GitError, isGitError } from '../core/errors.ts';
import type { PackSharing } from '../repository/pack-sharing/pack-sharing.ts';
import type { Repository } from '../repository/repository.ts';
import type { FilterRules } from './filter-rules.ts';
import type { ServiceOptions } from './service.ts';

/**
 * Which objects a client may want: the tips of the refs it is shown; those and all that is reachable from
 * them; or whatever the repository holds.
 */
export type WantPolicy = 'advertised' | 'reachable' | 'any';

/** What a client says about itself and its request, beside what it asks for. Its words, unchecked. */
export interface ClientRequest {
  /** `ls-refs`, `fetch`, `object-info` or `bundle-uri`; in v0 and v1 always `fetch`. */
  readonly command: string;
  readonly agent: string | undefined;
  readonly sessionId: string | undefined;
  /** Values of `git fetch --server-option`, in order; v2 only. */
  readonly serverOptions: readonly string[];
}

export interface FetchOptions extends ServiceOptions {
  readonly wantPolicy: WantPolicy;
  /** As {@link hiddenRefs}, for refs whose objects may not be wanted: fewer where hidden tips may be. */
  readonly unwantedRefs: readonly string[];
  readonly allowFilter: boolean;
  readonly filterRules: FilterRules;
  /** As `transfer.hideRefs`. */
  readonly hiddenRefs: readonly string[];
  /** What is done about `unborn` in ls-refs: as `lsrefs.unborn`. */
  readonly unborn: 'advertise' | 'allow' | 'ignore';
  readonly allowRefInWant: boolean;
  readonly allowSidebandAll: boolean;
  readonly allowPackfileUris: boolean;
  readonly advertiseSessionId: boolean;
  readonly advertiseObjectInfo: boolean;
  readonly advertiseBundleUris: boolean;
  /** Told of each request once its command and capabilities are read. */
  readonly onRequest?: ((request: ClientRequest) => void) | undefined;
  /** Our name, as in `agent=packwire/1.0`. */
  readonly agent: string;
  readonly sharing: PackSharing;
}

/** How the client would be told of a failure now. */
type Channel =
  /** Between packets: as an `ERR` packet. */
  | { readonly kind: 'packets' }
  /** While a pack is sent in bands: on band 3. */
  | { readonly kind: 'bands'; readonly maxPacketBytes: number }
  /** While a pack is sent bare: only by breaking off. */
  | { readonly kind: 'bare' }
  /** While nothing has been sent, of what the carrier has words for: by it. */
  | { readonly kind: 'carrier' };

export interface FetchContext {
  readonly repository: Repository;
  readonly options: FetchOptions;
  /** Set by whoever is writing. */
  channel: Channel;
  /** Set when the client gets blobs that are missing here from a promisor remote. */
  acceptsPromisor?: boolean;
}

const sessionIds = new WeakMap<FetchContext, string>();

/** A name for this conversation, for logs on both sides: it tells nothing else. */
export function sessionIdOf(context: FetchContext): string {
  let id = sessionIds.get(context);
  if (id === undefined) {
    id = crypto.randomUUID();
    sessionIds.set(context, id);
  }
  return id;
}

/** Longest text of a client that is repeated in a message to it. */
const MAX_MESSAGE_CHARACTERS = 1000;

/**
 * What the client is told of a failure: words about its own request as they are; of what is wrong on this side
 * only that something is, never ids, names or paths.
 */
export function failureText(error: unknown): string {
  if (!isGitError(error)) return 'upload-pack: internal error';
  switch (error.code) {
    case 'PROTOCOL_VIOLATION':
    case 'NOT_OUR_REF':
    case 'LIMIT_EXCEEDED':
    case 'OVERLOADED':
    case 'RATE_LIMITED':
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it may hold bytes that the client sent
      return error.message.slice(0, MAX_MESSAGE_CHARACTERS).replace(/[\x00-\x1f\x7f]/g, '?');
    case 'OBJECT_MISSING':
    case 'OBJECT_CORRUPT':
    case 'PACK_CORRUPT':
      return 'upload-pack: aborting due to possible repository corruption on the remote side.';
    case 'REPOSITORY_INVALID':
      return 'upload-pack: the configuration of the repository cannot be used';
    case 'STORAGE_FAILED':
      return 'upload-pack: the repository cannot be read now';
    default:
      return 'upload-pack: internal error';
  }
}

/** A request the protocol forbids; `message` is what the client gets to read, in git's words where git has any. */
export function violation(message: string): GitError {
  return new GitError('PROTOCOL_VIOLATION', message);
}

/** @throws {GitError} LIMIT_EXCEEDED when a request holds more than `most` of what it names */
export function checkCount(count: number, most: number, what: string): void {
  if (count > most) {
    throw new GitError('LIMIT_EXCEEDED', `upload-pack: at most ${most} ${what} are allowed`, { limit: most });
  }
}
