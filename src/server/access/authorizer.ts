/**
 * The one question of who may do what, as every transport asks it.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import type { Subject } from './subject.ts';

export type Operation = 'fetch' | 'archive' | 'push' | 'administer';
export type TransportName = 'http' | 'ssh' | 'git';

/** Asked when a client connects, before anything of the repository is read. */
export interface AccessRequest {
  readonly subject: Subject;
  /** As in the URL, without slashes around it and without `.git`. */
  readonly repository: string;
  readonly operation: Operation;
  readonly transport: TransportName;
  /** Where the client is, as far as it is known. */
  readonly address?: string | undefined;
  /** Whether the repository would have to be made for a push. */
  readonly create?: boolean | undefined;
}

/** One ref of a push. */
export interface RefChange {
  readonly name: string;
  readonly kind: 'create' | 'update' | 'delete';
  readonly oldId: string;
  readonly newId: string;
  /** The new commit does not contain the old one. Known only after the pack was read; `undefined` before. */
  readonly forced?: boolean | undefined;
}

export type AccessDecision =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      /** Whether the subject may know that the repository exists. */
      readonly visible: boolean;
      /** One sentence for the user. */
      readonly message: string;
    };

/**
 * Decides. Asked when a client connects, and again with the changes of a push: before its pack is read, and once
 * more when the pack has shown which are {@link RefChange.forced}.
 *
 * One that throws, or does not answer in time, has refused: nothing is allowed by an accident.
 */
export interface Authorizer {
  decide(request: AccessRequest, options?: Cancellable): Promise<AccessDecision>;
  /** @returns for each change, in order, why it is refused; `undefined` allows it */
  decideChanges(
    request: AccessRequest,
    changes: readonly RefChange[],
    options?: Cancellable,
  ): Promise<readonly (string | undefined)[]>;
}
