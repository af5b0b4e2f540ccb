/**
 * One HTTP exchange from its head to the first byte of its answer: route, refuse, authorize, resolve, serve.
 * Spec: gitprotocol-http(5); git's http-backend for the order and the wording of refusals.
 *
 * @module
 */
import { streamOf } from '../../core/byte-stream.ts';
import { concatBytes } from '../../core/bytes.ts';
import { GitError, isGitError } from '../../core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../core/limits.ts';
import { encodePacket, FLUSH_PACKET } from '../../protocol/pkt-line.ts';
import { parseProtocolVersion, type ServiceOptions } from '../../protocol/service.ts';
import { configuredHiddenRefs } from '../../repository/hidden-ref-config.ts';
import type { Repository } from '../../repository/repository.ts';
import { admitFrom } from '../client-work.ts';
import { errorAnswer, gitHeaders, type HttpAnswer, internalErrorAnswer, textAnswer } from './answer.ts';
import { AnswerBody } from './answer-body.ts';
import { dumbAnswer } from './dumb-answer.ts';
import { areFilesOffered, isServiceOffered } from './offered.ts';
import type { GitServerOptions, HttpExchange, RequestHead } from './options.ts';
import { boundedBody, decodeBody, nonEmptyBody } from './request-body.ts';
import { bodyEncoding, headOf, printable } from './request-head.ts';
import { parseRoute, type Route } from './route.ts';
import { type HttpService, serviceByName } from './services.ts';

type ServiceRoute = Extract<Route, { kind: 'advertisement' | 'exchange' }>;
type DumbRoute = Extract<Route, { kind: 'dumb' }>;

/** Somebody who may, and what they may do it to. */
interface Admitted {
  readonly repository: Repository;
  readonly principal: unknown;
}

/** An answer whose body nobody has read of yet. */
interface UnbegunAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncGenerator<Uint8Array> | Uint8Array | undefined;
  /** Called when the body has ended, or when there is none. */
  release?(): Promise<void>;
}

/** For a repository without files, or one that keeps something from clients. */
const DUMB_REFUSED = "This repository is served by git's smart HTTP protocol only: use git 1.6.6 or later";

/** Answers one request after another; holds options only. */
export class ExchangeHandler {
  readonly #options: GitServerOptions;
  readonly #limits: Limits;

  constructor(options: GitServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  async exchange(exchange: HttpExchange): Promise<HttpAnswer> {
    const head = exchange.head ?? headOf(exchange.request);
    const route = parseRoute(head.url.pathname, head.url.searchParams);
    if (route.kind === 'unknown') return textAnswer(404, 'Not found: no Git repository has such a path');

    const allowed = route.kind === 'exchange' ? ['POST'] : ['GET', 'HEAD'];
    if (!allowed.includes(head.method)) {
      return textAnswer(405, `Method not allowed: use ${allowed.join(' or ')}`, {
        allow: allowed.join(', '),
      });
    }
    const service = route.kind === 'dumb' ? undefined : serviceByName(route.service);
    if (route.kind !== 'dumb' && service === undefined) {
      return textAnswer(403, `Unsupported service: '${printable(route.service)}'`);
    }

    try {
      if (route.kind === 'dumb') return await this.#serveFile(exchange, head, route);
      return await this.#serve(exchange, head, route, service as HttpService);
    } catch (error) {
      this.#report(error, route.name);
      return isGitError(error) ? errorAnswer(error) : internalErrorAnswer();
    }
  }

  async #serve(
    exchange: HttpExchange,
    head: RequestHead,
    route: ServiceRoute,
    service: HttpService,
  ): Promise<HttpAnswer> {
    const encoding = route.kind === 'exchange' ? bodyEncoding(head, route.service) : 'identity';
    if (typeof encoding !== 'string') return encoding;
    const admitted = await this.#admit(exchange, route.name, service, 'smart');
    if ('status' in admitted) return admitted;

    const { repository, principal } = admitted;
    return this.#answered(route, repository, async () => {
      if (!isServiceOffered(service, repository.config, this.#options, principal)) {
        return textAnswer(403, `Service not enabled: '${route.service.replace('git-', '')}'`);
      }
      const limits = this.#limitsOf(repository);
      const limitBytes = service.maxRequestBytes(limits);
      if (limitBytes !== undefined && Number(head.header('content-length') ?? 0) > limitBytes) {
        return textAnswer(413, `Cannot read the request: at most ${limitBytes} bytes are allowed`);
      }
      const decoded = nonEmptyBody(decodeBody(exchange.body, encoding));
      const body = limitBytes === undefined ? decoded : boundedBody(decoded, limitBytes);
      const isExchange = route.kind === 'exchange';
      const serviceOptions: ServiceOptions = {
        mode: isExchange ? 'stateless' : 'advertise',
        protocolVersion: parseProtocolVersion(head.header('git-protocol')),
        limits,
        signal: exchange.signal,
        admit: admitFrom(this.#options.admit, { principal, name: route.name, client: exchange.client }),
        onFailure: (error) => this.#report(error, route.name),
      };
      const { defaults, fetch, push, hooks } = this.#options;
      const output = service.run(repository, isExchange ? body : streamOf(), serviceOptions, {
        fetch: { defaults, ...fetch },
        push: { ...push, hooks, principal },
      });
      return {
        status: 200,
        headers: gitHeaders(`application/x-${route.service}-${isExchange ? 'result' : 'advertisement'}`),
        body: isExchange ? output : advertisement(route.service, serviceOptions, output),
      };
    });
  }

  async #serveFile(exchange: HttpExchange, head: RequestHead, route: DumbRoute): Promise<HttpAnswer> {
    const admitted = await this.#admit(exchange, route.name, { operation: 'fetch', intent: 'read' }, 'dumb');
    if ('status' in admitted) return admitted;
    const { repository, principal } = admitted;
    return this.#answered(route, repository, async () => {
      const { config, objects } = repository;
      if (!areFilesOffered(repository, this.#options)) return textAnswer(403, DUMB_REFUSED);
      if (objects.files === undefined) return textAnswer(403, DUMB_REFUSED);
      const hiddenByApplication = this.#options.fetch?.hiddenRefs ?? [];
      const answer = await dumbAnswer(repository, objects.files, {
        head,
        file: route.file,
        hiddenRefs: [...configuredHiddenRefs(config, 'uploadpack'), ...hiddenByApplication],
        isPrivate: principal !== undefined && this.#options.defaults !== 'git', // http-backend lets everybody keep them
        signal: exchange.signal,
      });
      return answer ?? textAnswer(404, 'Not found: the repository has no such file');
    });
  }

  /** May they, and is there such a repository? The caller disposes it. */
  async #admit(
    exchange: HttpExchange,
    name: string,
    { operation, intent }: Pick<HttpService, 'operation' | 'intent'>,
    protocol: 'smart' | 'dumb',
  ): Promise<Admitted | HttpAnswer> {
    const { authorize, repositories } = this.#options;
    const verdict = (await authorize?.({
      operation,
      name,
      protocol,
      client: exchange.client,
      signal: exchange.signal,
      head: exchange.head ?? headOf(exchange.request),
      get request() {
        return exchange.request;
      },
    })) ?? { allow: true };
    if (!verdict.allow) return textAnswer(verdict.status, verdict.message, verdict.headers);

    const repository = await repositories(name, {
      intent,
      principal: verdict.principal,
      signal: exchange.signal,
      get request() {
        return exchange.request;
      },
    });
    if (repository === undefined) {
      throw new GitError('REPOSITORY_NOT_FOUND', 'Cannot find repository', { name });
    }
    return { repository, principal: verdict.principal };
  }

  /** The answer that `make` makes, begun; `repository` is disposed when the last of it is read, or was never made. */
  async #answered(
    { name }: ServiceRoute | DumbRoute,
    repository: Repository,
    make: () => Promise<UnbegunAnswer>,
  ): Promise<HttpAnswer> {
    let answer: UnbegunAnswer | undefined;
    const cleanUp = async (): Promise<void> => {
      await answer?.release?.();
      await repository[Symbol.asyncDispose]();
    };
    try {
      answer = await make();
    } catch (error) {
      await cleanUp();
      throw error;
    }
    const { status, headers, body } = answer;
    if (body === undefined || body instanceof Uint8Array) {
      await cleanUp();
      return { status, headers, body };
    }
    const stream = await AnswerBody.begin(body, {
      cleanUp,
      onLateError: (error) => this.#report(error, name),
    });
    return { status, headers, body: (await stream.whole()) ?? stream };
  }

  /** `http.maxRequestBuffer` counts where the application sets no limit of its own; else the smaller one. */
  #limitsOf({ config }: Repository): Limits {
    const configured = config?.getInteger('http.maxrequestbuffer');
    if (configured === undefined) return this.#limits;
    const chosen = this.#options.limits?.maxFetchRequestBytes ?? Number.POSITIVE_INFINITY;
    return { ...this.#limits, maxFetchRequestBytes: Math.min(configured, chosen) };
  }

  #report(error: unknown, name: string): void {
    this.#options.onError?.(error, { name });
  }
}

/**
 * What `info/refs` answers. Under version 2 http-backend leaves the `# service=` line away, for receive-pack too,
 * which then speaks version 0 all the same; clients rely on neither, but are tested against it.
 */
async function* advertisement(
  service: string,
  { protocolVersion }: ServiceOptions,
  output: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  let first = protocolVersion !== 2;
  for await (const chunk of output) {
    yield first ? concatBytes(encodePacket(`# service=${service}\n`), FLUSH_PACKET, chunk) : chunk;
    first = false;
  }
}
