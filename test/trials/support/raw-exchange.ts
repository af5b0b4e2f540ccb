/**
 * HTTP as somebody sends it who does not care for the rules: bytes on a socket, and what came back.
 *
 * @module
 */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  /** `undefined` when there was no status line. */
  readonly status: number | undefined;
  /** The first 64 KiB, head included, one character a byte. */
  readonly text: string;
  readonly receivedBytes: number;
  readonly seconds: number;
  /** `held` when the other side had neither answered nor closed in time. */
  readonly how: 'ended' | 'broken' | 'held';
}

export type Bytes = Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

const KEPT_CHARACTERS = 64 * 1024;

/**
 * Send `request` on a connection of its own and read until the other side closes it; sending stops at the first byte
 * of an answer that is an error. Never throws for what the other side does.
 */
export function rawExchange(
  port: number,
  request: Bytes,
  timeoutMs: number,
  from?: string,
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const began = performance.now();
    const socket = openSocket(port, from);
    let text = '';
    let receivedBytes = 0;
    let isDone = false;
    const finish = (how: RawAnswer['how']): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      socket.destroy();
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      const seconds = (performance.now() - began) / 1000;
      resolve({
        status: status === undefined ? undefined : Number(status),
        text,
        receivedBytes,
        seconds,
        how,
      });
    };
    const timer = setTimeout(() => finish('held'), timeoutMs);
    socket.on('data', (chunk) => {
      receivedBytes += chunk.length;
      if (text.length < KEPT_CHARACTERS) text += chunk.toString('latin1').slice(0, KEPT_CHARACTERS);
    });
    socket.on('end', () => finish('ended'));
    socket.on('error', () => finish('broken'));
    socket.on('close', () => finish('ended'));
    // What cannot be sent is seen as 'error' or 'close'.
    void sendAll(socket, request, () => isDone || /^HTTP\/1\.1 [45]/.test(text));
  });
}

/** A socket whose errors are nobody's concern: 'close' follows. @param from the address it comes from */
export function openSocket(port: number, from?: string): Socket {
  const options = { port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true };
  const socket = connect(from === undefined ? options : { ...options, localAddress: from });
  socket.on('error', () => undefined);
  return socket;
}

async function sendAll(socket: Socket, request: Bytes, isEnough: () => boolean): Promise<void> {
  for await (const chunk of request) {
    if (isEnough() || socket.destroyed) return;
    if (!socket.write(chunk)) await drained(socket);
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done).off('data', done);
      resolve();
    };
    socket.on('drain', done).on('close', done).on('data', done);
  });
}

/** The head of a POST to one of git's services. Without `sizeBytes` the body is in chunks. */
export function postHead(
  path: string,
  sizeBytes?: number,
  headers: Readonly<Record<string, string>> = {},
): string {
  const service = path.slice(path.lastIndexOf('/') + 1);
  const all = {
    host: '127.0.0.1',
    'content-type': `application/x-${service}-request`,
    connection: 'close',
    ...(sizeBytes === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': sizeBytes }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** A whole POST. */
export function post(
  path: string,
  body: Uint8Array,
  headers?: Readonly<Record<string, string>>,
): Uint8Array[] {
  return [Buffer.from(postHead(path, body.length, headers)), body];
}

/** A POST whose body is as long as it is. */
export async function* postInChunks(
  path: string,
  body: Bytes,
  headers?: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array | string> {
  yield postHead(path, undefined, headers);
  for await (const chunk of body) {
    if (chunk.length === 0) continue;
    yield `${Buffer.byteLength(chunk as string).toString(16)}\r\n`;
    yield chunk;
    yield '\r\n';
  }
  yield '0\r\n\r\n';
}
