/**
 * One line a request, for the operator.
 *
 * @module
 */
import type { RequestSummary } from '../transport/node/http-listener.ts';

/** `POST /a.git/git-upload-pack 200 15ms 1234B`, and `cut` after it when the answer did not arrive whole. */
export function formatAccess({
  method,
  target,
  status,
  durationMs,
  sentBytes,
  complete,
}: RequestSummary): string {
  const outcome = complete ? '' : ' cut';
  return `${method} ${printable(target)} ${status} ${Math.round(durationMs)}ms ${sentBytes}B${outcome}`;
}

/** `text` from a client without anything a terminal or a log reader would act on. */
function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?');
}
