/**
 * Answers that are no Git data: refusals and failures as a status and a sentence, and the headers every answer has.
 * The one place where HTTP maps error codes to the wire.
 * Spec: gitprotocol-http(5), "General Request Processing"; git's http-backend.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import { encodeText } from '../../core/bytes.ts';
import type { ErrorCode, GitError } from '../../core/errors.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /**
   * Nothing, everything, or a stream that the carrier reads to its end or ends with `return()`. A stream that
   * throws was cut: the carrier must break the connection so that the client cannot take it for complete.
   */
  readonly body: Uint8Array | ByteStream | undefined;
}

/** Everything is there. */
export interface TextAnswer extends HttpAnswer {
  readonly body: Uint8Array;
}

/** What every answer of http-backend says, so that no proxy keeps refs or packs. */
const NO_CACHE: Readonly<Record<string, string>> = {
  expires: 'Fri, 01 Jan 1980 00:00:00 GMT',
  pragma: 'no-cache',
  'cache-control': 'no-cache, max-age=0, must-revalidate',
};

/** Headers of an answer of Git data. */
export function gitHeaders(contentType: string): Headers {
  return new Headers({ ...NO_CACHE, 'content-type': contentType });
}

/** A status and a sentence. git prints the sentence, as `remote: …`, when `info/refs` is refused with one. */
export function textAnswer(
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): TextAnswer {
  return {
    status,
    headers: new Headers({ ...NO_CACHE, 'content-type': 'text/plain; charset=utf-8', ...headers }),
    body: encodeText(`${sentence}\n`),
  };
}

/** Status by reason, and whether the message was written for the client's eyes. */
const STATUS: Readonly<Record<ErrorCode, { readonly status: number; readonly telling: boolean }>> = {
  PROTOCOL_VIOLATION: { status: 400, telling: true },
  PACK_CORRUPT: { status: 400, telling: true },
  SHA1_COLLISION: { status: 400, telling: true },
  FSCK_FAILED: { status: 400, telling: true },
  NOT_OUR_REF: { status: 400, telling: true },
  REF_INVALID: { status: 400, telling: true },
  REF_CONFLICT: { status: 409, telling: true },
  LIMIT_EXCEEDED: { status: 413, telling: true },
  UNSUPPORTED: { status: 501, telling: true },
  ACCESS_DENIED: { status: 403, telling: true },
  REPOSITORY_NOT_FOUND: { status: 404, telling: false },
  OVERLOADED: { status: 503, telling: true },
  RATE_LIMITED: { status: 429, telling: true },
  ABORTED: { status: 503, telling: false },
  REPOSITORY_INVALID: { status: 500, telling: false },
  OBJECT_CORRUPT: { status: 500, telling: false },
  OBJECT_MISSING: { status: 500, telling: false },
  STORAGE_FAILED: { status: 500, telling: false },
  INVALID_ARGUMENT: { status: 500, telling: false },
};

const SENTENCE: Readonly<Record<number, string>> = {
  404: 'Repository not found',
  500: 'Internal server error',
  503: 'The server stopped this request',
};

/** The answer for work that failed before its first byte. What was not meant for clients is not in it. */
export function errorAnswer(error: GitError): HttpAnswer {
  const { status, telling } = STATUS[error.code];
  const { retryAfterSeconds } = error.detail;
  return textAnswer(
    status,
    telling ? error.message : (SENTENCE[status] ?? 'Request failed'),
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
  );
}

/** For anything that is no {@link GitError}: a bug, here or in a callback. */
export function internalErrorAnswer(): HttpAnswer {
  return textAnswer(500, SENTENCE[500] as string);
}
