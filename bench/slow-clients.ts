/**
 * What a slow client costs: clones a repository once, then again by twenty clients that read 100 KB a second,
 * and compares the server's resident memory.
 *
 *   npm run bench:slow -- <repository> [--clients=20] [--seconds=30] [--server=dist/cli.js]
 *
 * Resident memory is looked at ten times a second from when every client has received its first byte, keepalives
 * included; the kernel's own peak counts from when they connect. The repository is served where it is, read only. Needs a
 * built dist/.
 *
 * @module
 */
import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BUILT_SERVER, clonePost, ServedRepository } from './storm/served.ts';

const MIB = 1024 * 1024;
const BYTES_PER_TURN = 10_000;
const TURN_MS = 100;
/** Longer than an answer is kept that nobody takes (PackSharing's KEPT_MS). */
const FORGETTING_MS = 11_500;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    clients: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '30' },
    server: { type: 'string', default: BUILT_SERVER },
  },
});
const [given] = positionals;
if (given === undefined) {
  process.stderr.write('usage: npm run bench:slow -- <repository> [--clients=20] [--seconds=30]\n');
  process.exit(2);
}
const repository = resolve(given);

class SlowClient {
  received = 0;
  readonly #socket: Socket;

  constructor(port: number, request: Buffer) {
    this.#socket = connect({ port, host: '127.0.0.1' });
    this.#socket.write(request);
    this.#socket.pause();
  }

  readSome(): void {
    const chunk = (this.#socket.read(BYTES_PER_TURN) ?? this.#socket.read()) as Buffer | null;
    if (chunk !== null) this.received += chunk.length;
  }

  close(): void {
    this.#socket.destroy();
  }
}

const server = await ServedRepository.start(repository, resolve(values.server));
try {
  const { port } = server;
  const request = clonePost(repository);
  const alone = await readAll(port, request);
  const peakAlone = server.peakBytes;
  await sleep(FORGETTING_MS);
  const before = server.residentBytes;
  server.forgetPeak();
  const count = Number(values.clients);
  const clients = Array.from({ length: count }, () => new SlowClient(port, request));
  let most = 0;
  let firstByteMs = 0;
  const startedAt = performance.now();
  for (let turn = 1; performance.now() - startedAt < Number(values.seconds) * 1000; turn++) {
    for (const client of clients) client.readSome();
    await sleep(startedAt + turn * TURN_MS - performance.now());
    if (!clients.every((client) => client.received > 0)) continue;
    if (firstByteMs === 0) firstByteMs = performance.now() - startedAt;
    most = Math.max(most, server.residentBytes);
  }
  const received = clients.reduce((sum, client) => sum + client.received, 0);
  const last = server.residentBytes;
  const peak = server.peakBytes;
  for (const client of clients) client.close();
  const each = (bytes: number): string => ((bytes - before) / MIB / count).toFixed(2);
  process.stdout.write(
    `one clone: ${(alone / 1e6).toFixed(1)} MB, peak ${mib(peakAlone)}, resident after it ${mib(before)}\n` +
      `${count} slow clients: at most ${mib(most)} once all had a byte (after ${(firstByteMs / 1000).toFixed(1)} s): ` +
      `${each(most)} MiB each; peak since they connected ${mib(peak)}: ${each(peak)} MiB each; ` +
      `in the end ${mib(last)}: ${each(last)} MiB each (each had read ${(received / count / 1e6).toFixed(2)} MB)\n`,
  );
} finally {
  await server.stop();
}

async function readAll(port: number, request: Buffer): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) bytes += chunk.length;
  return bytes;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
