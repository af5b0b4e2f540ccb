/**
 * One command that somebody runs over SSH.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import type { SshService } from './exec-command.ts';

/** Who wants in, before anything is proved. */
export interface SshLogin {
  /** The name in the URL: `git` in `git@host:app`. Text from a stranger. */
  readonly user: string;
  readonly address: string;
}

/** One command of somebody known. */
export interface SshCommand {
  readonly service: SshService;
  /** As the client wrote it: `/team/app.git`, `team/app.git`, `~/app`. */
  readonly path: string;
  /** The client's `GIT_PROTOCOL`. */
  readonly protocol: string | undefined;
  readonly principal: unknown;
  readonly login: SshLogin;
  /** What the client sends. */
  readonly input: ByteStream;
  /** Fires when the client goes away, is silent for too long, or the server stops. */
  readonly signal: AbortSignal;
  /** Shown in the user's terminal. */
  say(text: string): void;
}
