/**
 * A git:// server inside the test's own process, so that the real git can be client to any service with any
 * options, without the cost of starting programs.
 * Spec: gitprotocol-pack(5), "Git Transport".
 *
 * @module
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { ByteStream } from '../../src/core/byte-stream.ts';
import { concatBytes, decodeText } from '../../src/core/bytes.ts';
import { decodePacket } from '../../src/protocol/pkt-line.ts';
import { type ProtocolVersion, parseProtocolVersion } from '../../src/protocol/service.ts';
import { chunksOf, discardRest, writeAll } from '../../src/transport/node/byte-streams.ts';

export interface DaemonRequest {
  /** `git-upload-pack` or `git-receive-pack`. */
  readonly service: string;
  /** As in the URL, with its first slash. */
  readonly path: string;
  readonly protocolVersion: ProtocolVersion;
  readonly signal: AbortSignal;
}

export type DaemonHandler = (request: DaemonRequest, stream: ByteStream) => ByteStream;

/** Listen until the test ends. @returns `git://127.0.0.1:port`, and what handlers threw so far */
export async function gitDaemon(
  context: Pick<TestContext, 'after'>,
  handler: DaemonHandler,
): Promise<{ readonly url: string; readonly errors: unknown[] }> {
  const errors: unknown[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    const gone = new AbortController();
    socket.on('error', () => gone.abort());
    socket.on('close', () => {
      gone.abort();
      sockets.delete(socket);
    });
    serve(socket, handler, gone.signal).catch((error: unknown) => {
      errors.push(error);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `git://127.0.0.1:${(server.address() as AddressInfo).port}`, errors };
}

async function serve(socket: Socket, handler: DaemonHandler, signal: AbortSignal): Promise<void> {
  const chunks = chunksOf(socket, { signal, idleTimeoutMs: 0 });
  const { line, rest } = await firstPacket(chunks);
  const [command = '', , ...parameters] = line.split('\0');
  const [service = '', path = ''] = command.trimEnd().split(/ (.*)/s);
  async function* stream() {
    if (rest.length > 0) yield rest;
    yield* chunks;
  }
  const protocolVersion = parseProtocolVersion(parameters.filter((word) => word !== '').join(':'));
  const answer = handler({ service, path, protocolVersion, signal }, stream());
  await writeAll(answer, socket, { signal, idleTimeoutMs: 0 });
  socket.end();
  await discardRest(socket, 5000); // or the kernel would throw the answer away with what was not read
}

async function firstPacket(chunks: AsyncGenerator<Uint8Array>): Promise<{ line: string; rest: Uint8Array }> {
  let bytes: Uint8Array = new Uint8Array(0);
  for (;;) {
    const step = decodePacket(bytes, 0);
    if (step?.packet.kind === 'data') {
      return { line: decodeText(step.packet.payload), rest: bytes.slice(step.end) };
    }
    const next = await chunks.next();
    if (next.done) throw new Error('the connection ended before its first packet');
    bytes = concatBytes(bytes, next.value);
  }
}
