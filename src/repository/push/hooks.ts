/**
 * What an embedding application decides about a push, in process.
 * Spec: githooks(5), "pre-receive", "update", "post-receive".
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { Identity } from '../../refs/ref-database.ts';
import type { Repository } from '../repository.ts';
import type { JudgedCertificate } from './push-certificate.ts';
import type { RefCommand } from './ref-command.ts';

/** A hook's or authorizer's no. */
export interface Rejection {
  /** One line the pusher sees beside the ref; git's own words for the hook when absent. */
  readonly reason?: string | undefined;
}

/** Makes a {@link Rejection}: `return reject('this branch is frozen')`. */
export function reject(reason?: string): Rejection {
  return { reason };
}

/** What a hook says when it has thought: nothing for yes. */
export type HookAnswer = Promise<Rejection | undefined> | Promise<void>;

/** Where a hook finds the pushed objects. */
export interface PushedObjects {
  /** `GIT_QUARANTINE_PATH` for hooks that run git; absent once published, or when objects are not files. */
  readonly quarantinePath?: string | undefined;
  /** A view that includes what was pushed. Released after the hook returns if the hook does not do it. */
  openReader(options?: Cancellable): Promise<ObjectReader>;
}

/** One push, as hooks see it. */
export interface PushContext {
  readonly repository: Repository;
  /** What is still to be done when a hook starts; for `postReceive`, what was done. */
  readonly commands: readonly RefCommand[];
  /** As sent, in order: text from a stranger, never to be put into a header, a shell or a path as it is. */
  readonly pushOptions: readonly string[];
  readonly atomic: boolean;
  /** Of a signed push: what was signed, by whom, and how far that can be believed. Nothing is refused for it by itself. */
  readonly pushCertificate?: JudgedCertificate | undefined;
  /** Whoever the transport found the pusher to be; the engine only hands it on. */
  readonly principal: unknown;
  /** The name that goes into reflogs. */
  readonly identity: Identity | undefined;
  readonly objects: PushedObjects;
  /** Fires when the pusher is gone or the server stops: give up then. */
  readonly signal: AbortSignal;
  /** Show text in the pusher's terminal, each line after `remote: `. A missing last newline is added. */
  say(text: string): void;
}

/**
 * A hook that throws counts as one that declined; the error goes to the server's log, not to the pusher.
 * All are optional.
 */
export interface PushHooks {
  /** Before anything is published: objects are in quarantine. A rejection refuses every ref. */
  preReceive?(push: PushContext): HookAnswer;
  /** Once for each ref, objects published. A rejection refuses that ref, or all when the push is atomic. */
  update?(command: RefCommand, push: PushContext): HookAnswer;
  /** After the refs have moved and the client has its report. Cannot change anything. */
  postReceive?(push: PushContext): Promise<void>;
}

/** One ref of a push, as {@link UpdatesAuthorizer} is asked about it. */
export interface ProposedUpdate {
  readonly command: RefCommand;
  /**
   * Whether the new value leaves something out that the old one has: a commit that does not contain the old one, or an update
   * from or to anything that is no commit, as tag objects are. `undefined` until the pack has been read.
   */
  readonly forced: boolean | undefined;
}

/**
 * Decides about the refs of a push, all in one question, so that it may be one to somebody far away.
 *
 * Asked before the pack is read about everything that has not been refused by then, with no {@link ProposedUpdate.forced}. Asked
 * again about what is left, with the objects in quarantine, nothing missing, and no hook run yet, if some update turns out to
 * be forced, if something was refused the first time, or if that is more than ten seconds ago: for an ordinary push the
 * first answer stands.
 *
 * One that throws, or answers for another number of refs, has refused them all.
 *
 * @returns for each, in order, why it is refused; `undefined` allows it
 */
export type UpdatesAuthorizer = (
  updates: readonly ProposedUpdate[],
  push: Omit<PushContext, 'objects' | 'commands'>,
  options: Cancellable,
) => Promise<readonly (Rejection | undefined)[]>;

/** Decides about one ref before the pack is read; receives no objects, so it costs a stranger's push nothing. */
export type RefUpdateAuthorizer = (
  command: RefCommand,
  push: Omit<PushContext, 'objects' | 'commands'>,
) => HookAnswer | Rejection | undefined;
