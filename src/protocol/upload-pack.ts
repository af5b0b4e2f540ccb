/**
 * upload-pack: what answers `git fetch` and `git clone`, in protocol v0, v1 and v2.
 * Spec: gitprotocol-pack(5), gitprotocol-v2(5).
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { isGitError } from '../core/errors.ts';
import { type PackSharing, packSharing } from '../repository/pack-sharing/pack-sharing.ts';
import type { Repository } from '../repository/repository.ts';
import { AGENT } from './capabilities.ts';
import { fetchSettings } from './fetch-config.ts';
import { type ClientRequest, type FetchContext, failureText, type WantPolicy } from './fetch-context.ts';
import { PacketReader } from './packet-reader.ts';
import { encodePacket } from './pkt-line.ts';
import type { ServiceOptions } from './service.ts';
import { encodeBand } from './side-band.ts';
import { advertiseV0, serveV0 } from './v0/serve-v0.ts';
import { advertiseV2, serveV2 } from './v2/serve-v2.ts';

export interface UploadPackOptions extends ServiceOptions {
  /**
   * The most that may be wanted, in every protocol version; the repository's own configuration may allow less. Default:
   * what the repository's configuration allows, `reachable` where it says nothing.
   */
  readonly wantPolicy?: WantPolicy | undefined;
  /** Whether `filter` is offered: partial clones. Default: `uploadpack.allowFilter`, true where that is not set. */
  readonly allowFilter?: boolean | undefined;
  /** Refs that are not shown and whose objects are not served for their sake: as `transfer.hideRefs`. */
  readonly hiddenRefs?: readonly string[] | undefined;
  /**
   * What holds where neither application nor repository says anything. `git` is stricter: in v0 and v1 only tips may be
   * wanted, and filters are not offered. Default `packwire`.
   */
  readonly defaults?: 'packwire' | 'git' | undefined;
  /** Told of each request before it is answered; what it throws ends the conversation. */
  readonly onRequest?: ((request: ClientRequest) => void) | undefined;
  /** How the server names itself. */
  readonly agent?: string | undefined;
  /** Where identical answers find each other. Default: one for the process. */
  readonly sharing?: PackSharing | undefined;
}

/**
 * Serve one fetch. `request` is read only in the modes `stateless` and `stateful`, and is told to return in
 * the end.
 *
 * The client is told of a failure in an `ERR` packet or, once the pack has begun, on band 3; the service then
 * ends normally and `onFailure` hears of it.
 *
 * @throws {GitError} ABORTED; OVERLOADED and RATE_LIMITED of `admit` in the mode `stateless`, before anything is yielded; and
 * any failure while a pack is sent without side-band
 */
export async function* uploadPack(
  repository: Repository,
  request: ByteStream,
  options: UploadPackOptions,
): AsyncGenerator<Uint8Array, undefined> {
  let context: FetchContext | undefined;
  try {
    context = {
      repository,
      options: {
        ...options,
        ...fetchSettings(repository.config, {
          ...options,
          namespacePrefix: repository.namespace?.prefix,
        }),
        agent: options.agent ?? AGENT,
        sharing: options.sharing ?? packSharing,
      },
      channel: { kind: 'packets' },
    };
    if (options.mode === 'advertise') yield* advertise(context);
    else yield* converse(context, request);
  } catch (error) {
    const channel = context?.channel ?? { kind: 'packets' };
    if (options.signal?.aborted) throw error;
    if (isGitError(error, 'ABORTED')) {
      // A client that is too slow to ask is there, and may listen.
      if (options.mode === 'stateful' && channel.kind === 'packets')
        yield encodePacket(`ERR ${error.message}`);
      throw error;
    }
    if (channel.kind === 'bare' || channel.kind === 'carrier') throw error;
    const text = failureText(error);
    if (channel.kind === 'packets') yield encodePacket(`ERR ${text}`);
    else yield encodeBand(3, text, channel.maxPacketBytes);
    if (!isGitError(error)) throw error; // a bug: not to be lost when nobody listens
    options.onFailure?.(error);
  }
}

function advertise(context: FetchContext): AsyncGenerator<Uint8Array> {
  return context.options.protocolVersion === 2 ? advertiseV2(context) : advertiseV0(context);
}

async function* converse(context: FetchContext, request: ByteStream): AsyncGenerator<Uint8Array, undefined> {
  const packets = new PacketReader(request, context.options.limits.maxFetchRequestBytes);
  try {
    if (context.options.protocolVersion === 2) yield* serveV2(context, packets);
    else yield* serveV0(context, packets);
  } finally {
    await packets.close();
  }
}
