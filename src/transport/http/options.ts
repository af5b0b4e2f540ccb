/**
 * What an embedding application gives a Git server, and what carriers of HTTP ask of it.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import type { Limits } from '../../core/limits.ts';
import type { PushHooks } from '../../repository/push/hooks.ts';
import type { Repository } from '../../repository/repository.ts';
import type { AdmitClient } from '../client-work.ts';
import type { HttpAnswer } from './answer.ts';
import type { ServiceSettings } from './services.ts';

/**
 * Finds repositories by the path before `/info/refs` and its kin: decoded, without leading slash, never with an
 * empty, `.` or `..` segment. `undefined` means that there is none, or none to be seen.
 *
 * The server disposes what it is given when the request is over.
 */
export type RepositoryResolver = (
  name: string,
  context: {
    readonly intent: 'read' | 'write';
    /** Whoever `authorize` found the client to be. */
    readonly principal: unknown;
    readonly request: Request;
    readonly signal: AbortSignal;
  },
) => Promise<Repository | undefined>;

/** An application's answer to "may they?". */
export type Verdict =
  /** `principal` is whoever they were found to be; hooks are given it. */
  | { readonly allow: true; readonly principal?: unknown }
  | {
      readonly allow: false;
      /** 401 (with a `www-authenticate` header, so that git asks for a password), 403 or 404. */
      readonly status: number;
      /** One sentence; git prints it. */
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>> | undefined;
    };

/** Who is at the other end, as far as the carrier can tell and is believed. */
export interface HttpClient {
  /** Where the client is: behind a trusted proxy, what the proxy says. */
  readonly address?: string | undefined;
  /** The certificate that it proved itself with over TLS, already checked against the authorities. */
  readonly certificate?: { readonly subject: string; readonly fingerprint: string } | undefined;
  /** Who a trusted proxy says it is. */
  readonly proxyUser?: string | undefined;
}

export interface GitServerOptions {
  readonly repositories: RepositoryResolver;
  /** Asked before the repository is looked for, for each request. Without it everybody may do everything. */
  readonly authorize?:
    | ((ask: {
        readonly operation: 'fetch' | 'archive' | 'push';
        readonly name: string;
        /**
         * `dumb` for files of the repository as they are stored: whoever is allowed these can have every object in it,
         * whatever refs and settings say.
         */
        readonly protocol: 'smart' | 'dumb';
        readonly request: Request;
        /** The same, for those who need headers only: a `request` is made when it is looked at. */
        readonly head: RequestHead;
        /** What the carrier knows of the client, if anything. */
        readonly client: HttpClient | undefined;
        /** Fires when nobody waits for the answer any more. */
        readonly signal: AbortSignal;
      }) => Promise<Verdict>)
    | undefined;
  /**
   * Asked for room right before heavy work, once its request has been read. OVERLOADED and RATE_LIMITED of it become 503
   * and 429, with `Retry-After`. Without it there is always room.
   */
  readonly admit?: AdmitClient | undefined;
  readonly hooks?: PushHooks | undefined;
  /** Overrides of single members of `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits> | undefined;
  /**
   * Whether stored files are given to clients of the dumb protocol: every object, whether refs reach it or not. Default: as
   * `true`, but not where `fetch.wantPolicy` is narrower than `any`. Either way not where `http.getanyfile` is off,
   * nor where refs are hidden or of other namespaces, unless it is only the repository that hides them and it sets
   * `http.getanyfile` itself.
   */
  readonly dumb?: boolean | undefined;
  /**
   * What holds where neither application nor repository says anything. `git` is that of http-backend: pushes only by
   * those to whom `authorize` gave a principal, stored files of repositories with hidden refs too, and its defaults
   * for fetches. Default `packwire`.
   */
  readonly defaults?: 'packwire' | 'git' | undefined;
  /** Settings of fetches: what may be wanted, which filters. */
  readonly fetch?: ServiceSettings['fetch'] | undefined;
  /** Settings of pushes: who may change which refs, policy for refs, unpack limit. */
  readonly push?: Omit<ServiceSettings['push'], 'hooks' | 'principal'> | undefined;
  /** Told of every failure, with what clients are not shown. Must not throw. */
  readonly onError?: ((error: unknown, context: { readonly name: string }) => void) | undefined;
}

/** What is asked of the head of every request. */
export interface RequestHead {
  readonly method: string;
  readonly url: URL;
  /** @param name in lower case. @returns as `Headers.get` */
  header(name: string): string | null;
}

/** One request as a carrier hands it over. */
export interface HttpExchange {
  /**
   * Method, URL and headers; its own body is not read. Only the application's callbacks look at it when there is a
   * {@link head}: a carrier may make it then.
   */
  readonly request: Request;
  /** The same as the carrier has it: making a `Request` costs as much as answering a small one. */
  readonly head?: RequestHead | undefined;
  readonly body: ByteStream;
  /** Fires when the client goes away or the server stops. The carrier also ends its wait for `body` then. */
  readonly signal: AbortSignal;
  /** Absent where the carrier knows nothing. */
  readonly client?: HttpClient | undefined;
}

export interface GitServer {
  /** For servers that speak web-standard requests: Deno, Bun, edge workers, frameworks. Never rejects. */
  handle(request: Request): Promise<Response>;
  /** For carriers with bodies of their own, as the Node listener. Never rejects; the answer's body may. */
  exchange(exchange: HttpExchange): Promise<HttpAnswer>;
}
