/**
 * What is done in a repository after a push, once everybody has heard of it.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';

interface AfterPushOptions extends Cancellable {
  /** Told of what it prints. */
  readonly onOutput: (text: string) => Promise<void>;
  /** Milliseconds until it is ended; 0 waits for ever. */
  readonly timeoutMs: number;
}

export type AfterPush = (options: AfterPushOptions) => Promise<void>;
