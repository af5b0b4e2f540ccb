/**
 * One SSH listener of the server: opens a port, knows its users, and drains when it is told to stop. Loads ssh2 when
 * it is first called.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import type { HostKey, SshEvent, SshLimits } from '../../ssh.ts';
import type { BodyFloor } from '../../transport/node/body-floor.ts';
import type { SshCommand } from '../../transport/ssh/ssh-command.ts';
import { type SshAccess, servedTo } from '../access/ssh-access.ts';
import type { Subject } from '../access/subject.ts';
import { listenError } from './listen-error.ts';

/** What can be replaced while the door is open. */
export interface SshDoorSettings {
  /** Of the host keys; those that are not there are made. */
  readonly hostKeyDirectory: string;
  readonly limits?: Partial<SshLimits> | undefined;
  /** What requests and packs must bring at the least. Default `DEFAULT_BODY_FLOOR`. */
  readonly floor?: BodyFloor | undefined;
  /** Proxies that begin each connection with a PROXY header. Default: nobody. */
  readonly isTrustedProxy?: ((address: string) => boolean) | undefined;
}

export interface SshDoorOptions extends SshDoorSettings {
  /** Name or address, without brackets. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly access: SshAccess;
  /** Of `gitOverSsh`. The `principal` of its commands is `Admitted`. */
  readonly serve: (command: SshCommand) => ByteStream;
  /** Whether those who ask for a shell are greeted by their name. Default true. */
  readonly greeting?: boolean | undefined;
  /** Told of each command that has ended; see `formatSshAccess`. */
  readonly onCommand?: ((command: SshCommandSummary) => void) | undefined;
  /** Told of each connection that was turned away, and why. */
  readonly onRefused?: ((address: string, why: string) => void) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface SshCommandSummary
  extends Omit<Extract<SshEvent, { kind: 'command' }>, 'kind' | 'login' | 'principal'> {
  readonly address: string;
  readonly subject: Subject;
}

export interface RunningSshDoor {
  /** As clients write it, without a slash at the end: `ssh://git@127.0.0.1:2222`. */
  readonly url: string;
  readonly port: number;
  readonly hostKeys: readonly HostKey[];
  /** Commands being run now. */
  readonly runningCount: number;
  readonly connectionCount: number;
  /**
   * Go by these settings from now on, all of them: new connections get new host keys, those that are open stay.
   *
   * @throws {GitError} INVALID_ARGUMENT, STORAGE_FAILED when host keys cannot be used: everything stays as it was
   */
  reload(settings: SshDoorSettings): Promise<void>;
  /** Take nothing new, let what runs finish within `deadlineMs`, cut the rest. @returns how many were cut */
  drain(deadlineMs: number): Promise<number>;
}

/** @throws {GitError} INVALID_ARGUMENT when the port or a host key cannot be used; STORAGE_FAILED */
export async function listenSsh(options: SshDoorOptions): Promise<RunningSshDoor> {
  const { host, port, access, serve, greeting = true, onError } = options;
  const { createSshServer, loadHostKeys } = await import('../../ssh.ts');
  let hostKeys = await loadHostKeys(options.hostKeyDirectory);
  const server = createSshServer({
    ...settingsOf(options, hostKeys),
    authenticator: access.authenticator,
    serve: servedTo(access, serve),
    nameOf: greeting ? (principal) => (principal as Subject).name : undefined,
    onError: (error) => onError?.(error),
    onEvent: (event) => tell(event, options),
  });
  let taken: number;
  try {
    taken = await server.listen(host, port);
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, host, port);
  }
  return {
    url: `ssh://git@${host.includes(':') ? `[${host}]` : host}:${taken}`,
    port: taken,
    get hostKeys() {
      return hostKeys;
    },
    get runningCount() {
      return server.runningCount;
    },
    get connectionCount() {
      return server.connectionCount;
    },
    async reload(settings) {
      const loaded = await loadHostKeys(settings.hostKeyDirectory);
      server.reload(settingsOf(settings, loaded));
      hostKeys = loaded;
    },
    drain: (deadlineMs) => server.drain(deadlineMs),
  };
}

function settingsOf({ limits, floor, isTrustedProxy }: SshDoorSettings, hostKeys: readonly HostKey[]) {
  return { hostKeys: hostKeys.map(({ privateKey }) => privateKey), limits, floor, isTrustedProxy };
}

function tell(event: SshEvent, { onCommand, onRefused }: SshDoorOptions): void {
  if (event.kind === 'refused') onRefused?.(event.address, event.why);
  if (event.kind !== 'command') return;
  const { kind: _, login, principal, ...command } = event;
  onCommand?.({ ...command, address: login.address, subject: principal as Subject });
}
