/**
 * What a client is told when its objects could not be stored: the one place where reasons become words, so
 * that paths and other inner detail stay in the log.
 *
 * @module
 */
import type { GitError } from '../../core/errors.ts';
import { printable } from '../../repository/push/ref-policy.ts';

export interface UnpackStatus {
  /** For `unpack <reason>`. */
  readonly reason: string;
  /** For the user's terminal, after `error: `. */
  readonly message: string;
}

/** Reasons of the system that say nothing about the server but that it is full, and that it is worth waiting. */
const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

function storageMessage(systemCode: unknown): string {
  const message = 'the server could not store the objects';
  return FULL.includes(systemCode) ? `${message}: no space left on its disk` : message;
}

export function describeUnpackError({ code, message, detail }: GitError): UnpackStatus {
  switch (code) {
    case 'PACK_CORRUPT':
      return { reason: 'pack is corrupt', message: printable(message) };
    case 'OBJECT_CORRUPT':
      return { reason: 'object is corrupt', message: printable(message) };
    case 'SHA1_COLLISION':
      return { reason: `SHA-1 collision in object ${detail.id}`, message: printable(message) };
    case 'FSCK_FAILED':
      return { reason: 'fsck error in packed object', message: printable(message) };
    case 'OBJECT_MISSING':
      return { reason: 'missing delta base', message: printable(message) };
    case 'LIMIT_EXCEEDED':
      return { reason: 'limit exceeded', message: printable(message) };
    case 'OVERLOADED':
    case 'RATE_LIMITED':
      return { reason: 'server is busy', message: printable(message) };
    case 'PROTOCOL_VIOLATION':
      return { reason: 'protocol error', message: printable(message) };
    case 'UNSUPPORTED':
      return { reason: 'unsupported pack', message: printable(message) };
    case 'STORAGE_FAILED':
      return { reason: 'unable to store objects', message: storageMessage(detail.code) };
    default:
      return { reason: 'unpack failed', message: 'the server could not unpack the objects' };
  }
}
