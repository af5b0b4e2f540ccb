/**
 * Protocol v2: the capability advertisement, and commands one after another.
 * Spec: gitprotocol-v2(5).
 *
 * @module
 */
import { type FetchContext, violation } from '../fetch-context.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { PacketReader } from '../packet-reader.ts';
import { readLines } from '../request-lines.ts';
import { fetchCommand } from './fetch-command.ts';
import { lsRefsCommand } from './ls-refs.ts';

/** What a client may name in a request. A new command is a new file and a row in {@link CAPABILITIES}. */
interface Capability {
  readonly name: string;
  /** What follows `name=` in the advertisement; empty for a bare name; `undefined` when it is not offered. */
  advertise(context: FetchContext): string | undefined;
  /** Answers a `command=` of that name. Reads its arguments up to the flush before it says anything. */
  readonly command?: (
    context: FetchContext,
    argumentPackets: PacketReader | undefined,
  ) => AsyncGenerator<Uint8Array>;
  /** Takes the value a client sends; `undefined` for a bare name. */
  readonly receive?: (context: FetchContext, value: string | undefined) => void;
}

const DEFAULT_OBJECT_FORMAT = 'sha1';

const CAPABILITIES: readonly Capability[] = [
  { name: 'agent', advertise: ({ options }) => options.agent },
  { name: 'ls-refs', advertise: () => 'unborn', command: lsRefsCommand },
  {
    name: 'fetch',
    advertise: ({ options }) => `shallow wait-for-done${options.allowFilter ? ' filter' : ''}`,
    command: fetchCommand,
  },
  { name: 'server-option', advertise: () => '' },
  {
    name: 'object-format',
    advertise: ({ repository }) => repository.format.name,
    receive: checkObjectFormat,
  },
];

export async function* advertiseV2(context: FetchContext): AsyncGenerator<Uint8Array, undefined> {
  const packets = new PacketBuffer().line('version 2\n');
  for (const { name, advertise } of CAPABILITIES) {
    const value = advertise(context);
    if (value !== undefined) packets.line(value === '' ? `${name}\n` : `${name}=${value}\n`);
  }
  yield packets.flush().take();
}

/** Over a connection, advertise and answer commands until the client has had enough; otherwise answer one. */
export async function* serveV2(
  context: FetchContext,
  packets: PacketReader,
): AsyncGenerator<Uint8Array, undefined> {
  const isStateful = context.options.mode === 'stateful';
  if (isStateful) yield* advertiseV2(context);
  do {
    packets.beginRequest();
    const request = await readRequest(context, packets);
    if (request === undefined) return;
    yield* request.command(context, request.hasArguments ? packets : undefined);
  } while (isStateful);
}

interface CommandRequest {
  readonly command: NonNullable<Capability['command']>;
  readonly hasArguments: boolean;
}

/**
 * The command and the capabilities of one request, up to the delimiter before its arguments.
 *
 * @returns `undefined` when the client ends the conversation, by a lone flush or the end of the stream
 * @throws {GitError} PROTOCOL_VIOLATION in git's words
 */
async function readRequest(
  context: FetchContext,
  packets: PacketReader,
): Promise<CommandRequest | undefined> {
  let command: Capability | undefined;
  let isEmpty = true;
  let hasObjectFormat = false;
  const end = await readLines(packets, (line) => {
    isEmpty = false;
    if (line.startsWith('command=')) {
      command = chooseCommand(context, line.slice('command='.length), command);
    } else {
      const capability = receiveCapability(context, line);
      if (capability.name === 'object-format') hasObjectFormat = true;
    }
  });
  if (end === undefined || (end === 'flush' && isEmpty)) return undefined;
  if (end === 'response-end') throw violation('unexpected response end packet');
  if (command?.command === undefined) throw violation('no command requested');
  if (!hasObjectFormat) checkObjectFormat(context, DEFAULT_OBJECT_FORMAT);
  return { command: command.command, hasArguments: end === 'delimiter' };
}

function chooseCommand(context: FetchContext, name: string, chosen: Capability | undefined): Capability {
  if (chosen !== undefined) {
    throw violation(`command '${name}' requested after already requesting command '${chosen.name}'`);
  }
  const command = CAPABILITIES.find((row) => row.name === name);
  if (command?.command === undefined || command.advertise(context) === undefined) {
    throw violation(`invalid command '${name}'`);
  }
  return command;
}

function receiveCapability(context: FetchContext, line: string): Capability {
  const equals = line.indexOf('=');
  const name = equals < 0 ? line : line.slice(0, equals);
  const capability = CAPABILITIES.find((row) => row.name === name);
  if (
    capability === undefined ||
    capability.command !== undefined ||
    capability.advertise(context) === undefined
  ) {
    throw violation(`unknown capability '${line}'`);
  }
  capability.receive?.(context, equals < 0 ? undefined : line.slice(equals + 1));
  return capability;
}

function checkObjectFormat({ repository }: FetchContext, name: string | undefined): void {
  if (name === undefined) throw violation('object-format capability requires an argument');
  if (name === repository.format.name) return;
  if (name !== 'sha1' && name !== 'sha256') throw violation(`unknown object format '${name}'`);
  throw violation(`mismatched object format: server ${repository.format.name}; client ${name}`);
}
