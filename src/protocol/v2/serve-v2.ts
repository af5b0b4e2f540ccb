/**
 * Protocol v2: the capability advertisement, and commands one after another.
 * Spec: gitprotocol-v2(5).
 *
 * @module
 */
import {
  type ClientRequest,
  checkCount,
  type FetchContext,
  sessionIdOf,
  violation,
} from '../fetch-context.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { PacketReader } from '../packet-reader.ts';
import { readLines } from '../request-lines.ts';
import { bundleUriCommand } from './bundle-uri.ts';
import { fetchCommand } from './fetch-command.ts';
import { lsRefsCommand } from './ls-refs.ts';
import { objectInfoCommand } from './object-info.ts';
import { acceptsPromisor, promisorRemoteInfo } from './promisor-remotes.ts';

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
  /** Takes the value a client sends, `undefined` for a bare name, and what it says of itself in `request`. */
  readonly receive?: (context: FetchContext, value: string | undefined, request: ReceivedRequest) => void;
}

/** What a client says of itself, while it is read. */
type ReceivedRequest = { -readonly [key in 'agent' | 'sessionId']: ClientRequest[key] } & {
  readonly serverOptions: string[];
};

const DEFAULT_OBJECT_FORMAT = 'sha1';

const CAPABILITIES: readonly Capability[] = [
  {
    name: 'agent',
    advertise: ({ options }) => options.agent,
    receive: (_, value, request) => {
      request.agent = value;
    },
  },
  {
    name: 'ls-refs',
    advertise: ({ options }) => (options.unborn === 'advertise' ? 'unborn' : ''),
    command: lsRefsCommand,
  },
  { name: 'fetch', advertise: fetchFeatures, command: fetchCommand },
  {
    name: 'server-option',
    advertise: () => '',
    receive: ({ options }, value, { serverOptions }) => {
      serverOptions.push(value ?? '');
      checkCount(serverOptions.length, options.limits.maxPushOptions, 'server options');
    },
  },
  {
    name: 'object-format',
    advertise: ({ repository }) => repository.format.name,
    receive: checkObjectFormat,
  },
  {
    name: 'session-id',
    advertise: (context) => (context.options.advertiseSessionId ? sessionIdOf(context) : undefined),
    receive: (_, value, request) => {
      request.sessionId = value;
    },
  },
  {
    name: 'object-info',
    advertise: ({ options }) => (options.advertiseObjectInfo ? 'size' : undefined),
    command: objectInfoCommand,
  },
  {
    name: 'bundle-uri',
    advertise: ({ options }) => (options.advertiseBundleUris ? '' : undefined),
    command: bundleUriCommand,
  },
  {
    name: 'promisor-remote',
    advertise: ({ repository }) => promisorRemoteInfo(repository.config),
    receive: (context, value) => {
      if (acceptsPromisor(context.repository.config, value ?? '')) context.acceptsPromisor = true;
    },
  },
];

function fetchFeatures({ options }: FetchContext): string {
  const features = ['shallow', 'wait-for-done'];
  if (options.allowFilter) features.push('filter');
  if (options.allowRefInWant) features.push('ref-in-want');
  if (options.allowSidebandAll) features.push('sideband-all');
  if (options.allowPackfileUris) features.push('packfile-uris');
  return features.join(' ');
}

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
    context.channel = { kind: 'packets' };
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
  const request: ReceivedRequest = { agent: undefined, sessionId: undefined, serverOptions: [] };
  const end = await readLines(
    packets,
    (line) => {
      isEmpty = false;
      if (line.startsWith('command=')) {
        command = chooseCommand(context, line.slice('command='.length), command);
      } else {
        const capability = receiveCapability(context, line, request);
        if (capability.name === 'object-format') hasObjectFormat = true;
      }
    },
    context.options.signal,
  );
  if (end === undefined || (end === 'flush' && isEmpty)) return undefined;
  if (end === 'response-end') throw violation('unexpected response end packet');
  if (command?.command === undefined) throw violation('no command requested');
  if (!hasObjectFormat) checkObjectFormat(context, DEFAULT_OBJECT_FORMAT);
  context.options.onRequest?.({ command: command.name, ...request });
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

function receiveCapability(context: FetchContext, line: string, request: ReceivedRequest): Capability {
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
  capability.receive?.(context, equals < 0 ? undefined : line.slice(equals + 1), request);
  return capability;
}

function checkObjectFormat({ repository }: FetchContext, name: string | undefined): void {
  if (name === undefined) throw violation('object-format capability requires an argument');
  if (name === repository.format.name) return;
  if (name !== 'sha1' && name !== 'sha256') throw violation(`unknown object format '${name}'`);
  throw violation(`mismatched object format: server ${repository.format.name}; client ${name}`);
}
