/**
 * What a view of one namespace knows of the rest.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import type { ResolvedRef } from '../refs/ref-database.ts';

export interface NamespaceView {
  /** Before the full names of its refs: `refs/namespaces/<name>/`. */
  readonly prefix: string;
  /** The refs that are not in it, with their full names: what they hold a pusher need not send. */
  otherRefs(options?: Cancellable): Promise<readonly ResolvedRef[]>;
}
