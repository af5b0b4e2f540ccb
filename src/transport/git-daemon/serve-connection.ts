/**
 * One git:// connection from its request to its end, over any two streams of bytes.
 * Spec: gitprotocol-pack(5), "Git Transport".
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import { GitError, isGitError } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';
import { PacketReader } from '../../protocol/packet-reader.ts';
import { encodePacket, MAX_PACKET_BYTES } from '../../protocol/pkt-line.ts';
import type { Repository } from '../../repository/repository.ts';
import { type AdmitClient, admitFrom } from '../client-work.ts';
import { runStatefulService, type StatefulSettings } from '../stateful-service.ts';
import { type DaemonRequest, type DaemonService, parseDaemonRequest } from './request-line.ts';

/** A repository to serve, disposed when the connection ends; or why there is none, as the client is told. */
export type DaemonOpening = { readonly repository: Repository } | { readonly refused: string };

/** Who is at the other end, as far as the listener can tell. */
interface DaemonClient {
  readonly address: string;
}

/** What the listener knows of one connection. */
export interface DaemonContext {
  readonly signal: AbortSignal;
  readonly connection?: DaemonClient | undefined;
  /** Told that the request has come, and for what: who waits for it only so long need wait no more. */
  readonly onRequest?: ((service: DaemonService) => void) | undefined;
}

export interface DaemonOptions extends StatefulSettings {
  readonly limits: Limits;
  /** Finds the repository, and decides whether this request may have it. */
  open(
    request: DaemonRequest,
    context: { readonly client: DaemonClient | undefined; readonly signal: AbortSignal },
  ): Promise<DaemonOpening>;
  /** Asked for room right before heavy work; nobody is known here. Without it there is always room. */
  readonly admit?: AdmitClient | undefined;
  /** Told of failures that the client has been told of as well. */
  readonly onFailure?: ((error: unknown, request: DaemonRequest) => void) | undefined;
}

/**
 * Serve one connection. `input` is told to return in the end.
 *
 * @throws {GitError} PROTOCOL_VIOLATION for what is no request: the connection is to be closed without an answer; ABORTED;
 * and what a service throws
 */
export async function* serveDaemonConnection(
  input: ByteStream,
  options: DaemonOptions,
  context: DaemonContext,
): AsyncGenerator<Uint8Array, undefined> {
  const packets = new PacketReader(input, MAX_PACKET_BYTES);
  try {
    const packet = await packets.next();
    if (packet === undefined) return; // somebody looked whether the port is open
    if (packet.kind !== 'data') throw new GitError('PROTOCOL_VIOLATION', 'Protocol error: no request');
    const request = parseDaemonRequest(packet.payload);
    context.onRequest?.(request.service);
    const { signal, connection: client } = context;
    const opening = await options.open(request, { client, signal });
    if ('refused' in opening) {
      yield encodePacket(`ERR ${opening.refused}: ${request.path}`);
      return;
    }
    await using repository = opening.repository;
    yield* runService(repository, request, packets.rest(), options, context);
  } finally {
    await packets.close();
  }
}

function runService(
  repository: Repository,
  request: DaemonRequest,
  input: ByteStream,
  options: DaemonOptions,
  { signal, connection: client }: DaemonContext,
): AsyncGenerator<Uint8Array, undefined> {
  const name = request.path.replace(/^\/+/, '');
  return runStatefulService(request.service, repository, input, options, {
    protocolVersion: request.protocolVersion,
    limits: options.limits,
    signal,
    admit: admitFrom(options.admit, { principal: undefined, name, client }),
    onFailure: (error) => {
      if (!isGitError(error, 'ABORTED')) options.onFailure?.(error, request);
    },
  });
}
