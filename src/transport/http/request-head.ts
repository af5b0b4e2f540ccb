/**
 * What the head of a request says, and how it is quoted in answers.
 *
 * @module
 */
import { type TextAnswer, textAnswer } from './answer.ts';
import type { RequestHead } from './options.ts';
import { type BodyEncoding, parseContentEncoding } from './request-body.ts';

export function headOf(request: Request): RequestHead {
  const { method, headers } = request;
  return { method, url: new URL(request.url), header: (name) => headers.get(name) };
}

/** How the body of a request to `service` is compressed, or the answer that refuses it. */
export function bodyEncoding({ header }: RequestHead, service: string): BodyEncoding | TextAnswer {
  const expected = `application/x-${service}-request`;
  const contentType = header('content-type') ?? '';
  if (contentType !== expected) {
    return textAnswer(
      415,
      `Expected POST with Content-Type '${expected}', but received '${printable(contentType)}' instead`,
    );
  }
  const encoding = parseContentEncoding(header('content-encoding'));
  if (encoding !== undefined) return encoding;
  return textAnswer(415, 'Cannot read the request: its body may be compressed with gzip or deflate only', {
    'accept-encoding': 'gzip, deflate',
  });
}

/** `text` from a peer on one line, shortened, for a sentence that quotes it. */
export function printable(text: string): string {
  return text.slice(0, 100).replace(/[^\x20-\x7e]/g, '?');
}
