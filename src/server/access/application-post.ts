/**
 * One question on its way to the application: posted on a connection that is kept for the next.
 *
 * Not by `fetch`, whose streams and signals cost the server as much as all else that it does to refuse a request
 * (`trial:hostile --only="hanging authorizer"`).
 *
 * @module
 */
import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as overHttp,
  type RequestOptions,
} from 'node:http';
import { request as overTls, Agent as TlsAgent } from 'node:https';
import type { Cancellable } from '../../core/byte-stream.ts';

export interface PostOptions extends Cancellable {
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds until the answer has to be there in full. */
  readonly timeoutMs: number;
  /** Longest answer read. */
  readonly maxAnswerBytes: number;
}

export interface Posted {
  readonly status: number;
  /** Of a 200: the answer, or `undefined` when it was longer than is read. Empty otherwise. */
  readonly text: string | undefined;
}

/** The answer did not come in time. */
export class LateAnswer extends Error {}

type Post = (
  url: URL,
  options: RequestOptions,
  onResponse: (response: IncomingMessage) => void,
) => ClientRequest;

/** Connections on which nothing is asked are closed after so long, before an application closes them. */
const IDLE_MS = 4_000;

/** Connections to one application. Those that nothing is asked on keep no process alive. */
export class ApplicationConnections {
  readonly #post: Post;
  readonly #agent: Agent;

  constructor({ protocol }: URL) {
    this.#post = protocol === 'https:' ? overTls : overHttp;
    const kept = { keepAlive: true, timeout: IDLE_MS };
    this.#agent = protocol === 'https:' ? new TlsAgent(kept) : new Agent(kept);
  }

  /**
   * Redirects are answers: what is posted goes nowhere else.
   *
   * @throws {LateAnswer}; what the network says; the reason of the signal
   */
  async post(url: URL, body: string, options: PostOptions): Promise<Posted> {
    const until = performance.now() + options.timeoutMs;
    for (;;) {
      const asked = new Asked(until - performance.now(), options);
      const { headers, signal } = options;
      const request = this.#post(url, { method: 'POST', agent: this.#agent, headers, signal }, (response) =>
        asked.read(response),
      );
      try {
        return await asked.send(request, body);
      } catch (error) {
        if (!wasClosedUnused(request, error)) throw error;
      }
    }
  }
}

/** A kept connection that the application closed while the question was on its way, which nobody has seen then. */
function wasClosedUnused({ reusedSocket }: ClientRequest, error: unknown): boolean {
  return reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
}

class Asked {
  readonly #timeoutMs: number;
  readonly #maxAnswerBytes: number;
  readonly #chunks: Buffer[] = [];
  #sizeBytes = 0;
  #resolve!: (posted: Posted) => void;
  #reject!: (error: unknown) => void;

  constructor(timeoutMs: number, { maxAnswerBytes }: PostOptions) {
    this.#timeoutMs = timeoutMs;
    this.#maxAnswerBytes = maxAnswerBytes;
  }

  send(request: ClientRequest, body: string): Promise<Posted> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const late = setTimeout(() => {
        reject(new LateAnswer('no answer in time'));
        request.destroy();
      }, this.#timeoutMs);
      request.on('error', reject);
      request.on('close', () => clearTimeout(late));
      request.end(body);
    });
  }

  read(response: IncomingMessage): void {
    const status = response.statusCode ?? 0;
    response.on('error', this.#reject);
    if (status !== 200) {
      if (status === 204) response.resume();
      else response.destroy(); // nobody reads how it is explained
      this.#resolve({ status, text: '' });
      return;
    }
    response.on('data', (chunk: Buffer) => {
      this.#sizeBytes += chunk.length;
      if (this.#sizeBytes <= this.#maxAnswerBytes) {
        this.#chunks.push(chunk);
        return;
      }
      response.destroy();
      this.#resolve({ status, text: undefined });
    });
    response.on('end', () => this.#resolve({ status, text: Buffer.concat(this.#chunks).toString('utf8') }));
  }
}
