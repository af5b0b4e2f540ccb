/**
 * Smart HTTP: fetch and push of any repository a resolver finds, as one web-standard handler.
 * Spec: gitprotocol-http(5); git's http-backend where the specification is silent.
 *
 * @module
 */
import { ExchangeHandler } from './exchange-handler.ts';
import type { GitServer, GitServerOptions } from './options.ts';
import { bodyChunks, streamBody } from './web-body.ts';

/** Make a server. It holds no state between requests. */
export function createGitServer(options: GitServerOptions): GitServer {
  const handler = new ExchangeHandler(options);
  return {
    exchange: (exchange) => handler.exchange(exchange),
    async handle(request) {
      const gone = new AbortController();
      const signal = AbortSignal.any([request.signal, gone.signal]);
      const answer = await handler.exchange({ request, body: bodyChunks(request.body), signal });
      const { status, headers, body } = answer;
      if (body === undefined || body instanceof Uint8Array) {
        return new Response(request.method === 'HEAD' ? null : (body as Uint8Array<ArrayBuffer>), {
          status,
          headers,
        });
      }
      if (request.method !== 'HEAD') {
        return new Response(
          streamBody(body, () => gone.abort()),
          { status, headers },
        );
      }
      await body[Symbol.asyncIterator]().return?.();
      return new Response(null, { status, headers });
    },
  };
}
