/**
 * Who talks with the program that carries out commands in place of the pipeline.
 * Spec: githooks(5), "proc-receive".
 *
 * @module
 */
import type { RefCommand, RefReport } from './ref-command.ts';
import type { HookConversation } from './repository-hooks.ts';

/** What the program says of one command. */
export type DelegateAnswer =
  /** Done, or something else in its place. */
  | { readonly kind: 'ok'; readonly reports: readonly RefReport[] }
  | { readonly kind: 'refused'; readonly reason: string }
  /** The pipeline is to carry it out after all. */
  | { readonly kind: 'fall-through' };

export interface DelegateOutcome {
  readonly answers: ReadonlyMap<RefCommand, DelegateAnswer>;
  /** Whether something went wrong, a command refused included. */
  readonly failed: boolean;
}

/** What the program is told, besides the commands. */
export interface DelegateRequest {
  /** Those that go to the program, in order. */
  readonly commands: readonly RefCommand[];
  /** `undefined` when they were not spoken of. */
  readonly pushOptions: readonly string[] | undefined;
  readonly atomic: boolean;
  /** Whether any command of the push is for that ref. */
  isKnown(name: string): boolean;
  /** Shows a line in the pusher's terminal, after `error: ` and behind all that the program prints. */
  sayError(text: string): void;
}

/** Hand the commands over and read the answers. Must not throw for what the program does wrong. */
export type Delegate = (request: DelegateRequest, hook: HookConversation) => Promise<DelegateOutcome>;
