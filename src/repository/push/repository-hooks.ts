/**
 * Programs that stand beside a repository and are run at certain points of a push: git's own hooks.
 * Declared here, fulfilled where there are processes; a repository in memory has none.
 * Spec: githooks(5); git-config(1), "core.hooksPath", "hook.<friendly-name>.command".
 *
 * @module
 */
import type { ByteStream, Cancellable } from '../../core/byte-stream.ts';

export type HookEvent =
  | 'pre-receive'
  | 'update'
  | 'proc-receive'
  | 'reference-transaction'
  | 'push-to-checkout'
  | 'post-receive'
  | 'post-update';

/** What a hook is given, and who hears it. */
export interface HookCall extends Cancellable {
  readonly args?: readonly string[] | undefined;
  /** Standard input, taken as it is read. Without it there is none. A hook that leaves it unread does nothing wrong. */
  readonly input?: Iterable<string> | undefined;
  /** Variables beside those of this process; `undefined` takes one away. */
  readonly environment?: HookEnvironment | undefined;
  /** Told of what it prints on either stream, in order, as it comes. No more is read before the promise is kept. */
  readonly onOutput: (text: string) => Promise<void>;
  /** Milliseconds until it is ended, and what it has started with it; 0 waits for ever. */
  readonly timeoutMs: number;
}

export type HookEnvironment = Readonly<Record<string, string | undefined>>;

/** Both ends of a hook that is talked with. */
export interface HookConversation {
  /** What it prints on standard output. */
  readonly output: ByteStream;
  /** @returns false once it does not listen any more */
  write(bytes: Uint8Array): Promise<boolean>;
}

export interface RepositoryHooks {
  /**
   * Whether there is something to run, as things are at this moment.
   *
   * @param onAdvice told, in git's words, of a hook that is passed over because it is not executable
   */
  has(event: HookEvent, onAdvice?: (text: string) => void): boolean;
  /**
   * Run all that there is, one after the other, to the end of the last.
   *
   * @returns whether every one ended well; what could not be started or took too long did not
   * @throws {GitError} ABORTED when the signal fires; what ran has ended by then
   */
  run(event: HookEvent, call: HookCall): Promise<boolean>;
  /**
   * Run the one program of `event` and talk with it; only its standard error goes to `onOutput`.
   *
   * @returns what `talk` returns and whether the program ended well; `undefined` when there is none
   * @throws {GitError} ABORTED as {@link run}; and whatever `talk` throws
   */
  converse<Result>(
    event: HookEvent,
    call: HookCall,
    talk: (hook: HookConversation) => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly ok: boolean } | undefined>;
}
