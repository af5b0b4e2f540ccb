/**
 * The client's half of a push, by hand: requests put together line by line, answers taken apart.
 *
 * @module
 */
import { concatBytes, decodeText } from '../../src/core/bytes.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { encodePacket, FLUSH_PACKET } from '../../src/protocol/pkt-line.ts';
import { type ReceivePackOptions, receivePack } from '../../src/protocol/receive-pack.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { readPackets, unpackLines } from './packets.ts';
import { chunked, drain } from './streams.ts';

export interface HandMadePush {
  /** `old new name`, one a command. */
  readonly commands: readonly string[];
  /** Default: `report-status side-band-64k`. */
  readonly capabilities?: string | undefined;
  readonly pack?: Uint8Array | undefined;
  readonly shallow?: readonly string[] | undefined;
  readonly pushOptions?: readonly string[] | undefined;
  /** Sizes of the chunks the request arrives in; all at once when absent. */
  readonly chunkSizes?: readonly number[] | undefined;
}

export interface PushAnswer {
  /** Lines of the report, its flush as `0000`. Empty when there was none. */
  readonly report: readonly string[];
  /** All text of band 2. */
  readonly messages: string;
  /** All text of band 3, or of an `ERR` packet. */
  readonly fatal: string;
}

export function pushRequest(push: HandMadePush): Uint8Array {
  const { commands, capabilities = 'report-status side-band-64k', pack, shallow = [], pushOptions } = push;
  const lines = commands.map((command, i) => (i === 0 ? `${command}\0 ${capabilities}` : command));
  return concatBytes(
    ...shallow.map((id) => encodePacket(`shallow ${id}`)),
    ...lines.map((line) => encodePacket(line)),
    FLUSH_PACKET,
    ...(pushOptions ?? []).map((option) => encodePacket(option)),
    ...(pushOptions === undefined ? [] : [FLUSH_PACKET]),
    pack ?? new Uint8Array(0),
  );
}

/** Push over the stateless form of the protocol. */
export async function pushByHand(
  repository: Repository,
  push: HandMadePush,
  options: Partial<ReceivePackOptions> = {},
): Promise<PushAnswer> {
  const answer = await drain(
    receivePack(repository, chunked(pushRequest(push), push.chunkSizes), {
      mode: 'stateless',
      protocolVersion: 0,
      limits: DEFAULT_LIMITS,
      ...options,
    }),
  );
  return readAnswer(answer, (push.capabilities ?? 'side-band-64k').includes('side-band-64k'));
}

export function readAnswer(answer: Uint8Array, sideBand: boolean): PushAnswer {
  if (!sideBand) {
    const lines = unpackLines(answer);
    const fatal = lines.filter((line) => line.startsWith('ERR '));
    return { report: lines.filter((line) => !line.startsWith('ERR ')), messages: '', fatal: fatal.join('') };
  }
  const bands: Uint8Array[][] = [[], [], [], []];
  for (const packet of readPackets(answer)) {
    if (packet.kind === 'data') bands[packet.payload[0] as number]?.push(packet.payload.subarray(1));
  }
  const [, report, messages, fatal] = bands.map((parts) => concatBytes(...parts));
  return {
    report: unpackLines(report as Uint8Array),
    messages: decodeText(messages as Uint8Array),
    fatal: decodeText(fatal as Uint8Array),
  };
}
