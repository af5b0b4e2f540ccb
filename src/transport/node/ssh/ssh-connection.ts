/**
 * One client of an SSH server: proves who it is, then runs commands of git, each in a session of its own.
 * Spec: RFC 4252, RFC 4254 sections 6.1 to 6.10.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { AuthContext, Connection, ServerChannel, Session } from 'ssh2';
import { GitError, isGitError } from '../../../core/errors.ts';
import { RequestRhythm } from '../../request-rhythm.ts';
import { type ExecCommand, parseExecCommand } from '../../ssh/exec-command.ts';
import type { SshLogin } from '../../ssh/ssh-command.ts';
import { requestsOf } from '../client-requests.ts';
import { limitRekeys, takesPackets } from './connection-guard.ts';
import { guardWindow, sendAll } from './exec-channel.ts';
import type { ReadingTurns } from './reading-turns.ts';
import { authenticate, type Known, methodsOf } from './ssh-authentication.ts';
import type { SshLimits, SshServerOptions, SshServerSettings } from './ssh-options.ts';

/** Longest user name and GIT_PROTOCOL looked at, in characters. */
const MAX_NAME = 256;
const MAX_PROTOCOL = 1024;

/** Sessions of one connection that end without having run anything: ssh2 never forgets them. */
const MAX_EMPTY_SESSIONS = 100;

/** For a client that is cut to read why. */
const LINGER_MS = 2_000;

const EXIT_FAILED = 128;
const EXIT_REFUSED = 1;

export interface SshConnectionOptions extends Omit<SshServerOptions, keyof SshServerSettings> {
  readonly limits: SshLimits;
  readonly floor: SshServerSettings['floor'];
  readonly address: string;
  /** By which all are read. */
  readonly turns: ReadingTurns;
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
  #emptySessions = 0;
  #runningCount = 0;
  #idle: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;
  #isLast = false;

  constructor(connection: Connection, socket: Socket, options: SshConnectionOptions) {
    this.#connection = connection;
    this.#socket = socket;
    this.#options = options;
    this.#login = { user: '', address: options.address };
    const { stopped } = options;
    options.turns.arrange(socket);
    limitRekeys(connection, socket, () => this.end('it exchanges keys all the time'));
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
        clearTimeout(this.#linger);
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
    if (this.#linger !== undefined) return;
    this.#connection.end();
    this.#socket.removeAllListeners('data').resume(); // nothing it says counts any more
    this.#socket.destroySoon();
    // One that takes nothing would keep it for ever.
    this.#linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
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
    if (!takesPackets(session)) {
      this.end('its packets are too small');
      return;
    }
    const closed = new AbortController();
    let protocol: string | undefined;
    let begun = false;
    session
      .on('env', (accept, reject, { key, val }) => {
        if (key !== 'GIT_PROTOCOL' || val.length > MAX_PROTOCOL) return reject?.();
        protocol = val;
        accept?.();
      })
      .on('exec', (accept, reject, { command }) => {
        if (begun) return refuse(reject);
        begun = true;
        void this.#run(this.#guarded(accept()), parseExecCommand(command), protocol, closed.signal);
      })
      .on('shell', (accept, reject) => {
        if (begun) return refuse(reject);
        begun = true;
        this.#greet(this.#guarded(accept()));
      })
      .on('pty', (accept) => accept?.()) // a shell asks for it first; there is none, but the line is to be seen
      // ssh2 tells it as often as the client says it.
      .once('close', () => {
        closed.abort(new GitError('ABORTED', 'Stopped: the client went away'));
        this.#sessions--;
        if (!begun && ++this.#emptySessions > MAX_EMPTY_SESSIONS) this.end('its sessions run nothing');
        else if (this.#isLast) this.finish();
      });
  }

  #guarded(channel: ServerChannel): ServerChannel {
    // A channel whose other side is gone is reported by what is awaited on it.
    channel.on('error', () => undefined);
    guardWindow(channel, () => this.end('it sent more than it was allowed to'));
    return channel;
  }

  /** Nothing runs: the client may stay for a while, as one that shares a connection between commands does. */
  #rest(): void {
    const { idleTimeoutMs } = this.#options.limits;
    clearTimeout(this.#idle);
    if (this.#gone.signal.aborted) return;
    this.#idle = setTimeout(() => this.end('the client was idle'), idleTimeoutMs);
  }

  #greet(channel: ServerChannel): void {
    const name = this.#options.nameOf?.(this.#known?.principal) ?? '';
    const greeting = name === '' ? 'Hi there' : `Hi ${name}`;
    channel.stderr.write(
      `${greeting}! You've successfully authenticated, but packwire does not provide shell access.\r\n`,
    );
    leave(channel, EXIT_REFUSED);
  }

  async #run(
    channel: ServerChannel,
    command: ExecCommand | undefined,
    protocol: string | undefined,
    closed: AbortSignal,
  ): Promise<void> {
    const say = (text: string): void => void channel.stderr.write(text);
    const known = this.#known;
    if (command === undefined || known === undefined) {
      say(
        'fatal: unrecognized command: only git-upload-pack, git-receive-pack and git-upload-archive are served\n',
      );
      leave(channel, EXIT_FAILED);
      return;
    }
    const signal = AbortSignal.any([this.#gone.signal, closed]);
    const started = performance.now();
    let sentBytes = 0;
    clearTimeout(this.#idle);
    this.#runningCount++;
    const exitCode = await this.#serve({ channel, command, protocol, known, signal, say }, (sizeBytes) => {
      sentBytes += sizeBytes;
    });
    if (--this.#runningCount === 0) this.#rest();
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
    leave(channel, exitCode);
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
    const { serve, limits, floor, onError } = this.#options;
    const { idleTimeoutMs, pushPauseMs } = limits;
    const peer = { signal, idleTimeoutMs };
    const isPush = command.service === 'git-receive-pack';
    const patience = { ...peer, pushPauseMs, floor };
    const input = requestsOf(channel, patience, new RequestRhythm(), () => isPush);
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

/** Clients need not ask for an answer. */
function refuse(reject: (() => void) | undefined): void {
  reject?.();
}

/** Tell how it ended; what still comes is dropped. */
function leave(channel: ServerChannel, exitCode: number): void {
  channel.exit(exitCode);
  channel.end();
  channel.resume();
  // What a client does not take would keep the channel open.
  if (exitCode !== 0) {
    channel.eof();
    channel.close();
  }
}
