/**
 * A client of SSH that need not keep the rules: ssh2's own, with what it keeps to itself.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { type AnyAuthMethod, Client, type ClientChannel, type ConnectConfig } from 'ssh2';
import { addressOf } from './addresses.ts';
import { openSocket } from './raw-exchange.ts';

/** Messages as ssh2's protocol writes them, whether it is their time or not. */
export interface SshProtocol {
  session(channel: number, windowBytes: number, packetBytes: number): void;
  exec(channel: number, command: string, wantReply: boolean): void;
  env(channel: number, name: string, value: string, wantReply: boolean): void;
  pty(
    channel: number,
    rows: number,
    columns: number,
    height: number,
    width: number,
    terminal: string,
    modes: null,
    wantReply: boolean,
  ): void;
  channelWindowAdjust(channel: number, bytes: number): void;
  channelData(channel: number, data: Buffer): void;
  channelClose(channel: number): void;
  tcpipForward(address: string, port: number, wantReply: boolean): void;
  directTcpip(channel: number, windowBytes: number, packetBytes: number, where: object): void;
  ping(): void;
  rekey(): boolean;
}

export class SshAttacker {
  readonly socket: Socket;
  readonly client = new Client();
  readonly began = performance.now();
  isOpen = true;
  /** Resolves once the connection is closed. */
  readonly closed: Promise<void>;

  /** @param n which address it comes from */
  constructor(port: number, n: number, config: Omit<ConnectConfig, 'sock'>) {
    this.socket = openSocket(port, addressOf(n));
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.isOpen = false;
        resolve();
      });
    });
    this.client.on('error', () => undefined); // 'close' follows
    this.client.connect({ username: 'git', readyTimeout: 0, ...config, sock: this.socket });
  }

  get protocol(): SshProtocol {
    return (this.client as unknown as { readonly _protocol: SshProtocol })._protocol;
  }

  /** @returns whether it was let in */
  async ready(): Promise<boolean> {
    const ready = new Promise<boolean>((resolve) => this.client.once('ready', () => resolve(true)));
    return await Promise.race([ready, this.closed.then(() => false)]);
  }

  /** @returns `undefined` when it may not */
  async exec(command: string): Promise<ClientChannel | undefined> {
    if (!this.isOpen) return undefined;
    const opened = new Promise<ClientChannel | undefined>((resolve) => {
      this.client.exec(command, (error, channel) => resolve(error ? undefined : channel));
    });
    return await Promise.race([opened, this.closed.then(() => undefined)]);
  }

  /** Send again and again, a burst at a time, as long as the server reads and nobody has cut it. */
  async flood(burst: (protocol: SshProtocol) => void, until: () => boolean): Promise<void> {
    while (this.isOpen && !until()) {
      if (this.socket.writableLength < FLOOD_BYTES) burst(this.protocol);
      await new Promise((resolve) => setTimeout(resolve, BURST_PAUSE_MS));
    }
  }

  /** Gone, without a word. */
  vanish(): void {
    this.socket.destroy();
  }
}

const FLOOD_BYTES = 1024 * 1024;
const BURST_PAUSE_MS = 20;

/** Whoever has these keys, one after another, as fast as the server says no. */
export function withKeys(keys: readonly string[]): Pick<ConnectConfig, 'authHandler'> {
  const methods: AnyAuthMethod[] = keys.map((key) => ({ type: 'publickey', username: 'git', key }));
  return { authHandler: methods };
}
