/**
 * What a slow client costs: clones a repository once, then again by twenty clients that read 100 KB a second,
 * and compares the server's resident memory.
 *
 *   npm run bench:slow -- <repository> [--clients=20] [--seconds=30]
 *
 * The repository is served where it is, read only. Needs a built dist/.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { basename, dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cloneRequest } from './pack/requests.ts';

const MIB = 1024 * 1024;
const BYTES_PER_TURN = 10_000;
const TURN_MS = 100;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { clients: { type: 'string', default: '20' }, seconds: { type: 'string', default: '30' } },
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

const { child, port } = await startServer(dirname(repository));
try {
  const body = cloneRequest(repository);
  const request = Buffer.concat([
    Buffer.from(
      `POST /${basename(repository)}/git-upload-pack HTTP/1.1\r\nhost: 127.0.0.1\r\ngit-protocol: version=2\r\n` +
        `content-type: application/x-git-upload-pack-request\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`,
    ),
    body,
  ]);
  const alone = await readAll(port, request);
  await sleep(1000);
  const before = residentBytes(child);
  const count = Number(values.clients);
  const clients = Array.from({ length: count }, () => new SlowClient(port, request));
  let most = 0;
  for (let elapsed = 0; elapsed < Number(values.seconds) * 1000; elapsed += TURN_MS) {
    for (const client of clients) client.readSome();
    await sleep(TURN_MS);
    // The first seconds are spent on choosing objects, which all clients do at once.
    if (clients.every((client) => client.received > 0)) most = Math.max(most, residentBytes(child));
  }
  const received = clients.reduce((sum, client) => sum + client.received, 0);
  for (const client of clients) client.close();
  process.stdout.write(
    `one clone: ${(alone / 1e6).toFixed(1)} MB; resident after it ${(before / MIB).toFixed(0)} MiB; ` +
      `with ${count} slow clients ${(most / MIB).toFixed(0)} MiB: ${((most - before) / MIB / count).toFixed(2)} MiB each ` +
      `(each had read ${(received / count / 1e6).toFixed(2)} MB)\n`,
  );
} finally {
  child.kill('SIGTERM');
  await once(child, 'close');
}

async function startServer(root: string): Promise<{ child: ChildProcess; port: number }> {
  const cli = resolve(import.meta.dirname, '../dist/cli.js');
  const server = spawn(process.execPath, [cli, 'serve', root, '--http', '127.0.0.1:0', '--read-only', '-q'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: server.stdout })) {
    const match = /127\.0\.0\.1:(\d+)/.exec(line);
    if (match !== null) {
      server.stdout.resume();
      return { child: server, port: Number(match[1]) };
    }
  }
  throw new Error('the server ended before it said where it listens');
}

async function readAll(port: number, request: Buffer): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) bytes += chunk.length;
  return bytes;
}

function residentBytes(server: ChildProcess): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}
