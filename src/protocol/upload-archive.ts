/**
 * upload-archive: what answers `git archive --remote`.
 * Spec: git-upload-archive(1); git's own server for the wire, which no document describes: `argument` lines and a flush,
 * then `ACK`, a flush, and the archive on band 1 of a side-band.
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { decodeLatin1 } from '../core/bytes.ts';
import { GitError, isGitError } from '../core/errors.ts';
import { parseArchiveRequest } from '../repository/archive/archive-request.ts';
import { type CreateArchiveOptions, createArchive } from '../repository/archive/create-archive.ts';
import { configuredHiddenRefs } from '../repository/hidden-ref-config.ts';
import type { Repository } from '../repository/repository.ts';
import type { Pass } from './admission.ts';
import { admitWork, isToldByCarrier } from './admit-work.ts';
import { violation } from './fetch-context.ts';
import { isHiddenRef } from './hidden-refs.ts';
import { PacketReader } from './packet-reader.ts';
import { encodePacket, FLUSH_PACKET } from './pkt-line.ts';
import type { ServiceOptions } from './service.ts';
import { type BandTwo, encodeBand, multiplex } from './side-band.ts';

export interface UploadArchiveOptions
  extends Omit<ServiceOptions, 'protocolVersion'>,
    Pick<CreateArchiveOptions, 'allowUnreachable' | 'runFilter' | 'userUmask'> {
  /** Refs that cannot be named, beside those that the repository's configuration hides from fetches. */
  readonly hiddenRefs?: readonly string[] | undefined;
}

const ARGUMENT = 'argument ';
/** git: MAX_ARGS, the name of the program among them. */
const MAX_ARGUMENTS = 64;
const MAX_REQUEST_BYTES = 1024 * 1024;
const LINE_FEED = 10;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal would act on
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

/** What git's server says last when the program that it has make the archive fails. */
const DIED = 'git upload-archive: archiver died with error';

/**
 * Serve one archive. `request` is read up to its flush.
 *
 * The client is told of a failure on bands 2 and 3; the service then ends normally and `onFailure` hears of it.
 *
 * @throws {GitError} ABORTED; UNSUPPORTED when an advertisement is asked for: there is none; OVERLOADED and RATE_LIMITED of
 * `admit` in the mode `stateless`, before anything is yielded
 */
export async function* uploadArchive(
  repository: Repository,
  request: ByteStream,
  options: UploadArchiveOptions,
): AsyncGenerator<Uint8Array, undefined> {
  if (options.mode === 'advertise') {
    throw new GitError('UNSUPPORTED', 'upload-archive advertises nothing: ask for git-upload-pack');
  }
  const packets = new PacketReader(request, MAX_REQUEST_BYTES);
  const held: { pass?: Pass } = {};
  const begin = async (signal: AbortSignal | undefined): Promise<readonly string[]> => {
    const args = await readArguments(packets);
    held.pass = await admitWork(options.admit, { kind: 'archive', repository }, signal);
    return args;
  };
  try {
    let begun: Promise<readonly string[]> | undefined;
    if (options.mode === 'stateless') {
      // The whole request comes first there, and that there is no room is a status only before the first byte.
      begun = begin(options.signal);
      await begun.catch((error: unknown) => {
        if (isToldByCarrier(error, options.mode)) throw error; // any other is told in bands, where it is met again
      });
    }
    yield* archiveAnswer(options, async function* (bandTwo, signal) {
      const args = await (begun ?? begin(signal));
      yield* archive(repository, args, options, bandTwo, signal);
    });
  } finally {
    held.pass?.release();
    await packets.close();
  }
}

/** The answer for a client whose repository cannot be opened, as git gives it: with `ACK`, and the reason on band 2. */
export function refuseArchive(
  options: Pick<UploadArchiveOptions, 'limits' | 'signal' | 'onFailure'>,
  reason: GitError,
): AsyncGenerator<Uint8Array, undefined> {
  // biome-ignore lint/correctness/useYield: it fails before there is anything to yield
  return archiveAnswer(options, async function* () {
    throw reason;
  });
}

async function* archiveAnswer(
  { limits, signal, onFailure }: Pick<UploadArchiveOptions, 'limits' | 'signal' | 'onFailure'>,
  work: (bandTwo: BandTwo, signal: AbortSignal) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  yield encodePacket('ACK\n');
  yield FLUSH_PACKET;
  const late = deadline(limits.archiveTimeoutMs, signal);
  try {
    yield* multiplex(work, { keepaliveMs: limits.keepaliveMs, signal: late.signal });
    yield FLUSH_PACKET;
  } catch (error) {
    if (signal?.aborted || (isGitError(error, 'ABORTED') && !late.hasPassed())) throw error;
    yield encodeBand(2, `fatal: ${failureText(error)}\n`);
    yield encodeBand(3, DIED);
    if (!isGitError(error)) throw error; // a bug: not to be lost when nobody listens
    onFailure?.(error);
  } finally {
    late.clear();
  }
}

function archive(
  repository: Repository,
  args: readonly string[],
  options: UploadArchiveOptions,
  bandTwo: BandTwo,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const hiddenRefs = [
    ...configuredHiddenRefs(repository.config, 'uploadpack'),
    ...(options.hiddenRefs ?? []),
  ];
  const { limits, allowUnreachable, runFilter, userUmask } = options;
  return createArchive(repository, parseArchiveRequest(args), {
    ...{ limits, allowUnreachable, runFilter, userUmask, signal },
    isHidden: (name) => isHiddenRef(name, hiddenRefs),
    onPath: (path) => bandTwo.write(`${path.replace(CONTROL, '?')}\n`), // who pushed it does not own the terminal
  });
}

/** @returns a character a byte: paths need not be UTF-8 */
async function readArguments(packets: PacketReader): Promise<readonly string[]> {
  const args: string[] = [];
  for (;;) {
    const packet = await packets.next();
    if (packet === undefined) throw violation('the remote end hung up unexpectedly');
    if (packet.kind === 'flush') return args;
    if (args.length === MAX_ARGUMENTS) throw violation(`Too many options (>${MAX_ARGUMENTS - 1})`);
    const line = packet.kind === 'data' ? lineOf(packet.payload) : '';
    if (!line.startsWith(ARGUMENT)) throw violation("'argument' token or flush expected");
    args.push(line.slice(ARGUMENT.length));
  }
}

function lineOf(payload: Uint8Array): string {
  const hasEnd = payload[payload.length - 1] === LINE_FEED;
  return decodeLatin1(payload, 0, hasEnd ? payload.length - 1 : payload.length);
}

/** Words about the client's own request, and of what is wrong on this side only that something is. */
function failureText(error: unknown): string {
  if (!isGitError(error)) return 'internal error';
  switch (error.code) {
    case 'PROTOCOL_VIOLATION':
    case 'NOT_OUR_REF':
    case 'LIMIT_EXCEEDED':
    case 'UNSUPPORTED':
    case 'INVALID_ARGUMENT':
    case 'REPOSITORY_NOT_FOUND':
    case 'ACCESS_DENIED':
    case 'OVERLOADED':
    case 'RATE_LIMITED':
      return error.message.slice(0, 1000).replace(CONTROL, '?'); // it may hold bytes that the client sent
    case 'OBJECT_MISSING':
    case 'OBJECT_CORRUPT':
    case 'PACK_CORRUPT':
      return 'the repository is damaged';
    case 'ABORTED':
      return 'the archive took too long';
    default:
      return 'the repository cannot be read now';
  }
}

/** A signal that fires with `signal`, or when the time is over. */
function deadline(timeoutMs: number, signal: AbortSignal | undefined) {
  const timeout = new AbortController();
  const seconds = timeoutMs / 1000;
  const late = new GitError('ABORTED', `Stopped: the archive was not made within ${seconds} s`);
  const timer = timeoutMs > 0 ? setTimeout(() => timeout.abort(late), timeoutMs) : undefined;
  return {
    signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
    hasPassed: () => timeout.signal.aborted,
    clear: () => clearTimeout(timer),
  };
}
