/**
 * How a client hears that its push could not even be judged.
 *
 * @module
 */
import { concatBytes } from '../../core/bytes.ts';
import { isGitError } from '../../core/errors.ts';
import { printable } from '../../repository/push/ref-policy.ts';
import { encodePacket, FLUSH_PACKET } from '../pkt-line.ts';
import { encodeBand } from '../side-band.ts';

/** Band 3 when the client demultiplexes its answer, else an `ERR` packet. Ends the answer. */
export function encodeFailure(error: unknown, sideBand: boolean): Uint8Array {
  const message = failureMessage(error);
  if (sideBand) return concatBytes(encodeBand(3, `${message}\n`), FLUSH_PACKET);
  return encodePacket(`ERR ${message}`);
}

const SAID = [
  'PROTOCOL_VIOLATION',
  'LIMIT_EXCEEDED',
  'UNSUPPORTED',
  'OVERLOADED',
  'RATE_LIMITED',
  'ABORTED', // it was too slow
] as const;

/** What the peer did wrong is said as it is; what is wrong here stays in the log. */
function failureMessage(error: unknown): string {
  return isGitError(error, ...SAID) ? printable(error.message) : 'internal server error';
}
