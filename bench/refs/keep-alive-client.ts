/**
 * One connection, opened anew when the server has closed it between two requests, that puts one request after another and reads each answer to its end. It looks at no more of an
 * answer than it must, so that the load it makes costs less than the server it measures.
 *
 * @module
 */
import { connect, type Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

export interface Answer {
  readonly status: number;
  /** Bytes of the body, without the framing of chunks. */
  readonly bodyBytes: number;
}

export class KeepAliveClient {
  readonly #port: number;
  #socket: Socket;
  #settle: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  #arrived: Buffer = Buffer.alloc(0);
  #status = 0;
  #bodyBytes = 0;
  /** Bytes to pass over until the next line or the end; -1 while a head is read. */
  #left = -1;
  #isChunked = false;
  #isLastChunk = false;

  constructor(port: number) {
    this.#port = port;
    this.#socket = this.#open();
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    const fail = (error?: Error): void =>
      this.#settle?.reject(error ?? new Error('the connection was closed'));
    return socket
      .on('data', (chunk) => this.#take(chunk))
      .on('error', fail)
      .on('end', () => socket.destroy())
      .on('close', () => fail());
  }

  /** Send one request, head and body, and wait for the end of its answer. */
  ask(request: Buffer): Promise<Answer> {
    if (this.#socket.destroyed) this.#socket = this.#open();
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#left = -1;
      this.#bodyBytes = 0;
      this.#isLastChunk = false;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#arrived = this.#arrived.length === 0 ? chunk : Buffer.concat([this.#arrived, chunk]);
    while (this.#step());
  }

  /** @returns whether there may be more to read in what has arrived */
  #step(): boolean {
    if (this.#left < 0) return this.#readHead();
    if (this.#left > 0) {
      const taken = Math.min(this.#left, this.#arrived.length);
      this.#arrived = this.#arrived.subarray(taken);
      this.#left -= taken;
      if (this.#left > 0) return false;
    }
    if (!this.#isChunked || this.#isLastChunk) return this.#finish();
    return this.#readChunkSize();
  }

  #readHead(): boolean {
    const end = this.#arrived.indexOf(HEAD_END);
    if (end < 0) return false;
    const head = this.#arrived.toString('latin1', 0, end).toLowerCase();
    this.#status = Number(head.slice(9, 12));
    this.#arrived = this.#arrived.subarray(end + HEAD_END.length);
    this.#isChunked = head.includes('transfer-encoding: chunked');
    this.#left = this.#isChunked ? 0 : Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
    this.#bodyBytes = this.#left;
    return true;
  }

  #readChunkSize(): boolean {
    const end = this.#arrived.indexOf(LINE_END);
    if (end < 0) return false;
    const size = Number.parseInt(this.#arrived.toString('latin1', 0, end), 16);
    this.#arrived = this.#arrived.subarray(end + LINE_END.length);
    this.#bodyBytes += size;
    this.#left = size + LINE_END.length;
    this.#isLastChunk = size === 0;
    return true;
  }

  #finish(): boolean {
    const settle = this.#settle;
    this.#settle = undefined;
    this.#left = -1;
    settle?.resolve({ status: this.#status, bodyBytes: this.#bodyBytes });
    return false;
  }
}
