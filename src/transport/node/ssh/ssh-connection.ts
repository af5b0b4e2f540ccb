/**
 * One client of an SSH server: proves who it is, then runs commands of git, each in a session of its own.
 * Spec: RFC 4252, RFC 4254 sections 6.1 to 6.10.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { AuthContext, Connection, ServerChannel, Session } from 'ssh2';
import { GitError, isGitError } from '../../../core/errors.ts';
import { type ExecCommand, parseExecCommand } from '../../ssh/exec-command.ts';
import type { SshLogin } from '../../ssh/ssh-command.ts';
import { chunksOf } from '../byte-streams.ts';
import { guardWindow, sendAll } from './exec-channel.ts';
import { authenticate, type Known, methodsOf } from './ssh-authentication.ts';
import type { SshLimits, SshServerOptions, SshServerSettings } from './ssh-options.ts';

/** Longest user name and GIT_PROTOCOL looked at, in characters. */
const MAX_NAME = 256;
const MAX_PROTOCOL = 1024;

const EXIT_FAILED = 128;
const EXIT_REFUSED = 1;

export interface SshConnectionOptions extends Omit<SshServerOptions, keyof SshServerSettings> {
  readonly limits: SshLimits;
  readonly address: string;
  /** Fires when the server stops. */
  readonly stopped: AbortSignal;
  readonly onAuthenticated: () => void;
}

export class SshConnection {
  readonly #connection: Connection;
  readonly #socket: Socket;
  readonly #options: SshConnectionOptions;
  readonly #gone = new AbortController();
  #login: SshLogin;
  #known: Known | undefined;
  #tries = 0;
  #sessions = 0;
  #runningCount = 0;
  #idle: NodeJS.Timeout | undefined;
  #isLast = false;

  constructor(connection: Connection, socket: Socket, options: SshConnectionOptions) {
    this.#connection = connection;
    this.#socket = socket;
    this.#options = options;
    this.#login = { user: '', address: options.address };
    const { stopped } = options;
    const stop = (): void => this.#gone.abort(stopped.reason);
    stopped.addEventListener('abort', stop, { once: true });
    connection
      .on('authentication', (context) => void this.#authenticate(context))
      .on('ready', () => {
        options.onAuthenticated();
        this.#rest();
      })
      .on('session', (accept, reject) => {
        if (this.#isLast || this.#sessions >= options.limits.maxSessions) reject();
        else this.#serveSession(accept());
      })
      // Broken connections and clients that break the protocol: nothing that anybody here could mend.
      .on('error', () => this.end('the connection broke'))
      .on('close', () => {
        stopped.removeEventListener('abort', stop);
        clearTimeout(this.#idle);
        this.#gone.abort(new GitError('ABORTED', 'Stopped: the client went away'));
      });
  }

  /** Commands that run now. */
  get runningCount(): number {
    return this.#runningCount;
  }

  /** Cut it, and what it runs. */
  end(why: string): void {
    this.#gone.abort(new GitError('ABORTED', `Stopped: ${why}`));
    this.#connection.end();
    this.#socket.destroySoon();
  }

  /** Take no more commands, and end after those that run. */
  finish(): void {
    this.#isLast = true;
    if (this.#sessions === 0) this.end('the server stops');
  }

  async #authenticate(context: AuthContext): Promise<void> {
    const { authenticator, limits, onError, onEvent, address } = this.#options;
    const methods = methodsOf(authenticator);
    if (context.method === 'none') return context.reject(methods);
    if (++this.#tries > limits.maxAuthTries) {
      onEvent?.({ kind: 'refused', address, why: 'too many attempts to log in' });
      return this.end('too many attempts to log in');
    }
    this.#login = { user: context.username.slice(0, MAX_NAME), address };
    let known: Known | undefined;
    try {
      known = await authenticate(context, this.#login, authenticator);
    } catch (error) {
      // Nobody comes in, whatever it was.
      if (isGitError(error, 'RATE_LIMITED')) onEvent?.({ kind: 'refused', address, why: error.message });
      else onError?.(error, this.#login);
    }
    if (this.#gone.signal.aborted) return;
    if (known === undefined) return context.reject(methods);
    const isProved = context.method !== 'publickey' || context.signature !== undefined;
    if (isProved) {
      this.#known = known;
      onEvent?.({ kind: 'login', login: this.#login, how: known.how });
    }
    context.accept();
  }

  #serveSession(session: Session): void {
    this.#sessions++;
    clearTimeout(this.#idle);
    let protocol: string | undefined;
    let begun = false;
    session
      .on('env', (accept, reject, { key, val }) => {
        if (key !== 'GIT_PROTOCOL' || val.length > MAX_PROTOCOL) return reject?.();
        protocol = val;
        accept?.();
      })
      .on('exec', (accept, reject, { command }) => {
        if (begun) return reject();
        begun = true;
        void this.#run(accept(), parseExecCommand(command), protocol);
      })
      .on('shell', (accept, reject) => {
        if (begun) return reject();
        begun = true;
        this.#greet(accept());
      })
      .on('pty', (accept) => accept?.()) // a shell asks for it first; there is none, but the line is to be seen
      .on('close', () => {
        this.#sessions--;
        if (this.#isLast) this.finish();
        else if (this.#sessions === 0) this.#rest();
      });
  }

  /** Nothing runs: the client may stay for a while, as one that shares a connection between commands does. */
  #rest(): void {
    const { idleTimeoutMs } = this.#options.limits;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.end('the client was idle'), idleTimeoutMs);
  }

  #greet(channel: ServerChannel): void {
    const name = this.#options.nameOf?.(this.#known?.principal) ?? '';
    const greeting = name === '' ? 'Hi there' : `Hi ${name}`;
    channel.stderr.write(
      `${greeting}! You've successfully authenticated, but packwire does not provide shell access.\r\n`,
    );
    channel.exit(EXIT_REFUSED);
    channel.end();
  }

  async #run(
    channel: ServerChannel,
    command: ExecCommand | undefined,
    protocol: string | undefined,
  ): Promise<void> {
    const say = (text: string): void => void channel.stderr.write(text);
    // A channel whose other side is gone is reported by what is awaited on it.
    channel.on('error', () => undefined);
    guardWindow(channel, () => this.end('it sent more than it was allowed to'));
    const known = this.#known;
    if (command === undefined || known === undefined) {
      say(
        'fatal: unrecognized command: only git-upload-pack, git-receive-pack and git-upload-archive are served\n',
      );
      channel.exit(EXIT_FAILED);
      channel.end();
      return;
    }
    const closed = new AbortController();
    channel.on('close', () => closed.abort(new GitError('ABORTED', 'Stopped: the client went away')));
    const signal = AbortSignal.any([this.#gone.signal, closed.signal]);
    const started = performance.now();
    let sentBytes = 0;
    this.#runningCount++;
    const exitCode = await this.#serve({ channel, command, protocol, known, signal, say }, (sizeBytes) => {
      sentBytes += sizeBytes;
    });
    this.#runningCount--;
    const durationMs = Math.round(performance.now() - started);
    this.#options.onEvent?.({
      kind: 'command',
      login: this.#login,
      principal: known.principal,
      ...command,
      exitCode,
      durationMs,
      sentBytes,
    });
    channel.exit(exitCode);
    channel.end();
  }

  async #serve(
    running: {
      readonly channel: ServerChannel;
      readonly command: ExecCommand;
      readonly protocol: string | undefined;
      readonly known: Known;
      readonly signal: AbortSignal;
      say(text: string): void;
    },
    onSent: (sizeBytes: number) => void,
  ): Promise<number> {
    const { channel, command, protocol, known, signal, say } = running;
    const { serve, limits, onError } = this.#options;
    const peer = { signal, idleTimeoutMs: limits.idleTimeoutMs };
    const input = chunksOf(channel, peer);
    try {
      const output = serve({
        ...command,
        protocol,
        principal: known.principal,
        login: this.#login,
        input,
        signal,
        say,
      });
      await sendAll(output, channel, this.#socket, { ...peer, onSent });
      return 0;
    } catch (error) {
      if (!isGitError(error)) onError?.(error, this.#login);
      if (!signal.aborted) say(`fatal: ${isGitError(error) ? error.message : 'internal server error'}\n`);
      return EXIT_FAILED;
    }
  }
}
