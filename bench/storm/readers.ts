/**
 * Clients that read an answer and drop it, in a process of their own: `readers.ts <port> <count> <file> [spread]` sends what is in
 * the file on each of `count` connections, and prints what they got as JSON.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

export interface ReaderResult {
  /** Bytes each connection brought, heads and framing included. */
  readonly receivedBytes: readonly number[];
  /** How many ended as an answer in chunks ends, and said 200. */
  readonly complete: number;
  /** How many were told to come again later: 429 or 503. */
  readonly turnedAway: number;
  readonly wallSeconds: number;
}

const LAST_CHUNK = '0\r\n\r\n';
const BUFFER_BYTES = 256 * 1024;

const [port = '0', count = '0', file = '', spread] = process.argv.slice(2);
const request = readFileSync(file);
const startedAt = performance.now();
const answers = await Promise.all(Array.from({ length: Number(count) }, (_, n) => readOne(n)));
const result: ReaderResult = {
  receivedBytes: answers.map(({ bytes }) => bytes),
  complete: answers.filter(({ isComplete }) => isComplete).length,
  turnedAway: answers.filter(({ isTurnedAway }) => isTurnedAway).length,
  wallSeconds: (performance.now() - startedAt) / 1000,
};
process.stdout.write(JSON.stringify(result));

/** With `spread`, each comes from an address of its own: all of 127.0.0.0/8 is this machine, on Linux. */
function addressOf(n: number): string {
  return spread === undefined ? '127.0.0.1' : `127.2.${Math.floor(n / 250)}.${1 + (n % 250)}`;
}

function readOne(n: number): Promise<{ bytes: number; isComplete: boolean; isTurnedAway: boolean }> {
  return new Promise((resolve) => {
    let bytes = 0;
    let head = '';
    let tail = '';
    const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    const socket = connect({
      port: Number(port),
      host: '127.0.0.1',
      localAddress: addressOf(n),
      onread: {
        buffer,
        callback(length, chunk) {
          const view = Buffer.from(chunk.buffer, chunk.byteOffset, length);
          if (bytes === 0) head = view.toString('latin1', 0, 12);
          tail = (tail + view.toString('latin1', Math.max(0, length - 5))).slice(-5);
          bytes += length;
          return true;
        },
      },
    });
    const end = (): void =>
      resolve({
        bytes,
        isComplete: head === 'HTTP/1.1 200' && tail === LAST_CHUNK,
        isTurnedAway: head === 'HTTP/1.1 429' || head === 'HTTP/1.1 503',
      });
    socket.once('close', end);
    socket.on('error', () => undefined); // 'close' follows, and the answer is not complete
    socket.write(request);
  });
}
