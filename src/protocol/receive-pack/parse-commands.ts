/**
 * What a push begins with: shallow lines and ref update commands, bare or in a certificate, a flush, then push options
 * if both sides speak of them. The pack follows as bare bytes.
 * Spec: gitprotocol-pack(5), "Reference Update Request and Packfile Transfer"; gitprotocol-capabilities(5).
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { decodeText, joinBytes } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';
import { isObjectId, type ObjectFormat, type ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import { type PushCertificate, parsePushCertificate } from '../../repository/push/push-certificate.ts';
import { type RefCommand, refCommand } from '../../repository/push/ref-command.ts';
import { printable } from '../../repository/push/ref-policy.ts';
import { type Capabilities, parseCapabilities } from '../capabilities.ts';
import type { PacketReader } from '../packet-reader.ts';
import { isLookDue } from '../request-lines.ts';

export interface ParseCommandsOptions {
  readonly format: ObjectFormat;
  readonly limits: Pick<Limits, 'maxRefUpdates' | 'maxPushOptions' | 'maxShallowLines'>;
  /** Whether `push-options` was advertised. */
  readonly allowPushOptions: boolean;
}

const NUL = 0;
const NEWLINE = 10;
const CERTIFICATE_END = 'push-cert-end\n';
const NO_CAPABILITIES: Capabilities = new Map();

/**
 * Collects one request line by line. After a refused line its {@link capabilities} still say how the
 * client wants to hear of it.
 */
export class CommandParser {
  readonly commands: RefCommand[] = [];
  /** Commits whose parents the client does not have. */
  readonly shallow: ObjectId[] = [];
  readonly pushOptions: string[] = [];
  /** What a signed push has in place of bare commands; {@link commands} are those that it holds. */
  certificate: PushCertificate | undefined;
  /** Lines of a certificate that has begun. */
  #certificateLines: Uint8Array[] | undefined;
  #isInCertificate = false;
  readonly #options: ParseCommandsOptions;
  #capabilities: Capabilities = NO_CAPABILITIES;

  constructor(options: ParseCommandsOptions) {
    this.#options = options;
  }

  /** What came after the NUL of the first command; empty until then. */
  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  /** Whether the client wants something. */
  get hasBegun(): boolean {
    return this.commands.length > 0 || this.#certificateLines !== undefined;
  }

  /**
   * Take one packet of the command list.
   *
   * @throws {GitError} PROTOCOL_VIOLATION, LIMIT_EXCEEDED, UNSUPPORTED
   */
  addCommandLine(payload: Uint8Array): void {
    if (this.#isInCertificate) {
      this.#addCertificateLine(payload);
      return;
    }
    const nul = payload.indexOf(NUL);
    if (nul >= 0) this.#readCapabilities(chomped(payload.subarray(nul + 1)));
    const line = decodeLine(nul >= 0 ? payload.subarray(0, nul) : chomped(payload));
    if (line.startsWith('shallow ')) this.#addShallow(line.slice('shallow '.length));
    else if (line === 'push-cert') this.#beginCertificate();
    else this.#addCommand(line);
  }

  /** The flush after the command list has come. @throws {GitError} PROTOCOL_VIOLATION, LIMIT_EXCEEDED */
  endCommands(): void {
    const lines = this.#certificateLines;
    if (lines === undefined) return;
    this.#isInCertificate = false;
    // git means to refuse this too, and takes both: what is not signed must not pass with what is.
    if (this.commands.length > 0) throw violation('got both push certificate and unsigned commands');
    this.certificate = parsePushCertificate(joinBytes(lines), (line) => this.#addCommand(decodeLine(line)));
    lines.length = 0;
  }

  #beginCertificate(): void {
    if (this.#certificateLines !== undefined) throw violation('a push has one certificate');
    if (this.#capabilities === NO_CAPABILITIES) this.#readCapabilities(new Uint8Array(0));
    this.#certificateLines = [];
    this.#isInCertificate = true;
  }

  #addCertificateLine(payload: Uint8Array): void {
    if (payload.includes(NUL)) throw violation('a push certificate must not contain NUL');
    const isEnd = payload.length === CERTIFICATE_END.length && decodeText(payload) === CERTIFICATE_END;
    if (isEnd) this.#isInCertificate = false;
    else this.#certificateLines?.push(payload.slice()); // its buffer is used again
  }

  /** Take one packet of the push options. @throws {GitError} PROTOCOL_VIOLATION, LIMIT_EXCEEDED */
  addPushOption(payload: Uint8Array): void {
    const { maxPushOptions } = this.#options.limits;
    if (this.pushOptions.length >= maxPushOptions) throw tooMany('push options', maxPushOptions);
    if (payload.includes(NUL)) throw violation('a push option must not contain NUL');
    this.pushOptions.push(decodeText(chomped(payload)));
  }

  #readCapabilities(bytes: Uint8Array): void {
    if (this.#capabilities !== NO_CAPABILITIES) throw violation('capabilities belong to the first command');
    const { format, allowPushOptions } = this.#options;
    const capabilities = parseCapabilities(decodeText(bytes));
    this.#capabilities = capabilities;
    const objectFormat = capabilities.get('object-format') ?? 'sha1'; // what clients that say nothing mean
    if (objectFormat !== format.name) {
      throw unsupported(`unsupported object format '${printable(objectFormat)}', this one is ${format.name}`);
    }
    if (capabilities.has('push-options') && !allowPushOptions) {
      throw unsupported('push options are not supported');
    }
  }

  #addShallow(id: string): void {
    const { format, limits } = this.#options;
    if (this.shallow.length >= limits.maxShallowLines) throw tooMany('shallow lines', limits.maxShallowLines);
    const lowercase = id.toLowerCase();
    if (!isObjectId(lowercase, format)) throw violation(`expected shallow and an id, got '${printable(id)}'`);
    this.shallow.push(lowercase);
  }

  #addCommand(line: string): void {
    const { format, limits } = this.#options;
    if (this.commands.length >= limits.maxRefUpdates) throw tooMany('ref updates', limits.maxRefUpdates);
    const digits = format.idHexDigits;
    const oldId = line.slice(0, digits).toLowerCase();
    const newId = line.slice(digits + 1, 2 * digits + 1).toLowerCase();
    const wellFormed =
      isObjectId(oldId, format) &&
      isObjectId(newId, format) &&
      line[digits] === ' ' &&
      line[2 * digits + 1] === ' ';
    if (!wellFormed) throw violation(`expected old id, new id and ref, got '${printable(line)}'`);
    if (this.commands.length === 0 && this.#capabilities === NO_CAPABILITIES) {
      this.#readCapabilities(new Uint8Array(0)); // a client that has none uses sha1
    }
    this.commands.push(refCommand(line.slice(2 * digits + 2), oldId, newId));
  }
}

/**
 * Read a request up to its pack into `parser`.
 *
 * @returns false when the client wants nothing: it sent a flush, or went away, before any command
 * @throws {GitError} PROTOCOL_VIOLATION, LIMIT_EXCEEDED, UNSUPPORTED, ABORTED
 */
export async function readCommands(
  reader: PacketReader,
  parser: CommandParser,
  { signal }: Cancellable = {},
): Promise<boolean> {
  const pace = new Pace(signal);
  await readSection(reader, parser, pace, (payload) => parser.addCommandLine(payload));
  parser.endCommands();
  if (parser.commands.length === 0) return false;
  if (parser.capabilities.has('push-options')) {
    await readSection(reader, parser, pace, (payload) => parser.addPushOption(payload));
  }
  return true;
}

async function readSection(
  reader: PacketReader,
  parser: CommandParser,
  pace: Pace,
  add: (payload: Uint8Array) => void,
): Promise<void> {
  for (let count = 0; ; ) {
    for (let packet = reader.take(); packet !== undefined; packet = reader.take()) {
      if (packet.kind === 'flush') return;
      if (packet.kind !== 'data') throw violation(`a ${packet.kind} packet has no place among commands`);
      add(packet.payload);
      if (isLookDue(count++) && pace.isDue()) await pace.rest();
    }
    if (await reader.fill()) continue;
    if (!parser.hasBegun && (await reader.next()) === undefined) return;
    throw violation('the connection ended before the flush after the commands');
  }
}

function chomped(payload: Uint8Array): Uint8Array {
  return payload[payload.length - 1] === NEWLINE ? payload.subarray(0, -1) : payload;
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Two names that differ only in bytes that are no text must not become one. */
function decodeLine(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch (error) {
    throw new GitError('PROTOCOL_VIOLATION', 'protocol error: ref names must be UTF-8', {}, error);
  }
}

function violation(message: string): GitError {
  return new GitError('PROTOCOL_VIOLATION', `protocol error: ${message}`);
}

function unsupported(message: string): GitError {
  return new GitError('UNSUPPORTED', message);
}

function tooMany(what: string, limit: number): GitError {
  return new GitError('LIMIT_EXCEEDED', `too many ${what} in one push: at most ${limit} are allowed`, {
    limit,
  });
}
