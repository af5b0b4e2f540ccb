/**
 * A connection from a trusted proxy, up to the first byte of its client.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { isGitError } from '../../core/errors.ts';
import { type ProxyHeader, parseProxyHeader } from '../proxy-protocol.ts';

export interface ProxyHeaderOutcome {
  /** @param address of the client; `undefined` when the proxy speaks for itself. What came after the header is unread, and the socket paused */
  readonly read: (address: string | undefined) => void;
  /** The socket is the caller's to close. */
  readonly refused: (why: string) => void;
}

/** Waits as long as the socket lives: its owner sets the time. */
export function readProxyHeader(socket: Socket, { read, refused }: ProxyHeaderOutcome): void {
  let head: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    let header: ProxyHeader;
    try {
      header = parseProxyHeader(head);
    } catch (error) {
      if (!isGitError(error)) throw error;
      socket.off('data', onData);
      refused(error.message);
      return;
    }
    if (header === 'incomplete') return;
    socket.off('data', onData).pause();
    const rest = head.subarray(header.bytes);
    if (rest.length > 0) socket.unshift(rest);
    read(header.client?.address);
  };
  socket.on('data', onData);
}
