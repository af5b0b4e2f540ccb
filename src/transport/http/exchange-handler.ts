/**
 * One HTTP exchange from its head to the first byte of its answer: route, refuse, authorize, resolve, serve.
 * Spec: gitprotocol-http(5); git's http-backend for the order and the wording of refusals.
 *
 * @module
 */
import { type ByteStream, streamOf } from '../../core/byte-stream.ts';
import { concatBytes } from '../../core/bytes.ts';
import { GitError, isGitError } from '../../core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../core/limits.ts';
import { encodePacket, FLUSH_PACKET } from '../../protocol/pkt-line.ts';
import { parseProtocolVersion, type ServiceOptions } from '../../protocol/service.ts';
import { errorAnswer, gitHeaders, type HttpAnswer, internalErrorAnswer, textAnswer } from './answer.ts';
import { AnswerBody } from './answer-body.ts';
import type { GitServerOptions, HttpExchange, RequestHead } from './options.ts';
import { boundedBody, decodeBody, parseContentEncoding } from './request-body.ts';
import { parseRoute, type Route } from './route.ts';
import { type HttpService, serviceByName } from './services.ts';

type ServiceRoute = Extract<Route, { kind: 'advertisement' | 'exchange' }>;

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
    if (route.kind === 'dumb') {
      return textAnswer(403, "This server speaks git's smart HTTP protocol only: use git 1.6.6 or later");
    }
    const service = serviceByName(route.service);
    if (service === undefined) return textAnswer(403, `Unsupported service: '${printable(route.service)}'`);

    try {
      return await this.#serve(exchange, head, route, service);
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
    const { signal } = exchange;
    const body = route.kind === 'exchange' ? this.#requestBody(exchange, head, route, service) : streamOf();
    if (!isStream(body)) return body;

    const verdict = (await this.#options.authorize?.({
      operation: service.operation,
      name: route.name,
      get request() {
        return exchange.request;
      },
    })) ?? { allow: true };
    if (!verdict.allow) return textAnswer(verdict.status, verdict.message, verdict.headers);

    const { intent } = service;
    const repository = await this.#options.repositories(route.name, {
      intent,
      signal,
      get request() {
        return exchange.request;
      },
    });
    if (repository === undefined) {
      throw new GitError('REPOSITORY_NOT_FOUND', 'Cannot find repository', { name: route.name });
    }

    const serviceOptions: ServiceOptions = {
      mode: route.kind === 'exchange' ? 'stateless' : 'advertise',
      protocolVersion: parseProtocolVersion(head.header('git-protocol')),
      limits: this.#limits,
      signal,
      onFailure: (error) => this.#report(error, route.name),
    };
    const output = service.run(repository, body, serviceOptions, {
      fetch: this.#options.fetch ?? {},
      push: {
        ...this.#options.push,
        hooks: this.#options.hooks,
        principal: verdict.principal,
      },
    });
    const stream = await AnswerBody.begin(
      route.kind === 'exchange' ? output : advertisement(route.service, serviceOptions, output),
      {
        cleanUp: () => Promise.resolve(repository[Symbol.asyncDispose]()),
        onLateError: (error) => this.#report(error, route.name),
      },
    );
    const contentType = `application/x-${route.service}-${route.kind === 'exchange' ? 'result' : 'advertisement'}`;
    return { status: 200, headers: gitHeaders(contentType), body: (await stream.whole()) ?? stream };
  }

  /** The request's body ready for the service, or the answer that refuses it. */
  #requestBody(
    exchange: HttpExchange,
    { header }: RequestHead,
    route: ServiceRoute,
    service: HttpService,
  ): ByteStream | HttpAnswer {
    const expected = `application/x-${route.service}-request`;
    const contentType = header('content-type') ?? '';
    if (contentType !== expected) {
      return textAnswer(
        415,
        `Expected POST with Content-Type '${expected}', but received '${printable(contentType)}' instead`,
      );
    }
    const encoding = parseContentEncoding(header('content-encoding'));
    if (encoding === undefined) {
      return textAnswer(
        415,
        'Cannot read the request: its body may be compressed with gzip or deflate only',
        {
          'accept-encoding': 'gzip, deflate',
        },
      );
    }
    const limitBytes = service.maxRequestBytes(this.#limits);
    if (limitBytes === undefined) return decodeBody(exchange.body, encoding);
    if (Number(header('content-length') ?? 0) > limitBytes) {
      return textAnswer(413, `Cannot read the request: at most ${limitBytes} bytes are allowed`);
    }
    return boundedBody(decodeBody(exchange.body, encoding), limitBytes);
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

function headOf(request: Request): RequestHead {
  const { method, headers } = request;
  return { method, url: new URL(request.url), header: (name) => headers.get(name) };
}

function isStream(body: ByteStream | HttpAnswer): body is ByteStream {
  return Symbol.asyncIterator in body;
}

/** `text` from a peer on one line, shortened, for a sentence that quotes it. */
function printable(text: string): string {
  return text.slice(0, 100).replace(/[^\x20-\x7e]/g, '?');
}
