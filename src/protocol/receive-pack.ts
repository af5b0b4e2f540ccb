/**
 * receive-pack: the server's side of `git push`. Version 2 of the protocol has no push: a client that offers it
 * is answered in version 0.
 * Spec: gitprotocol-pack(5), "Pushing Data To a Server"; gitprotocol-capabilities(5); gitprotocol-v2(5).
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { concatBytes, encodeText } from '../core/bytes.ts';
import { GitError, throwIfAborted } from '../core/errors.ts';
import { configuredHiddenRefs } from '../repository/hidden-ref-config.ts';
import { executePush, runPostReceive } from '../repository/push/push-pipeline.ts';
import type { PushPipelineOptions, PushRequest, PushRules } from '../repository/push/push-session.ts';
import type { Repository } from '../repository/repository.ts';
import { PacketReader } from './packet-reader.ts';
import { FLUSH_PACKET } from './pkt-line.ts';
import { advertiseForPush } from './receive-pack/advertise.ts';
import { encodeFailure } from './receive-pack/failure.ts';
import { denyHiddenRefs } from './receive-pack/hidden-ref-updates.ts';
import { IncomingPack } from './receive-pack/incoming-pack.ts';
import { CommandParser, readCommands } from './receive-pack/parse-commands.ts';
import { pushProgress } from './receive-pack/push-progress.ts';
import { formatReportStatus } from './receive-pack/report-status.ts';
import { describeUnpackError } from './receive-pack/unpack-status.ts';
import type { ServiceOptions } from './service.ts';
import { type BandTwo, multiplex } from './side-band.ts';

/** An empty packet on band 1, known by being this very array. */
const KEEPALIVE: Uint8Array = concatBytes(encodeText('0005'), Uint8Array.of(1));

export interface ReceivePackOptions extends ServiceOptions, Omit<PushRules, 'onError'> {
  /**
   * Advertise push options. git does so only when asked to, since nothing reads them by itself; here hooks in
   * the same process do. Default true.
   */
  readonly allowPushOptions?: boolean | undefined;
  /** Patterns of refs that are neither shown nor changed, besides the repository's own receive.hideRefs. */
  readonly hiddenRefs?: readonly string[] | undefined;
}

/**
 * Serve one push. Reads `request` as far as its pack goes and not further; whoever owns the connection decides
 * about the rest, also when a push is refused early.
 *
 * @throws {GitError} ABORTED when the signal fires or nobody reads the answer; no ref has moved then, or all
 * that was asked has been done. Other failures are answered in the protocol and given to `onFailure`
 */
export async function* receivePack(
  repository: Repository,
  request: ByteStream,
  options: ReceivePackOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const { mode, limits, signal, allowPushOptions = true } = options;
  // The application's patterns come last, so that a repository cannot show what the application hides.
  const hiddenRefs = [...configuredHiddenRefs(repository.config, 'receive'), ...(options.hiddenRefs ?? [])];
  if (mode !== 'stateless') {
    yield* advertiseForPush(repository, {
      version: options.protocolVersion === 1 ? 1 : 0,
      hiddenRefs,
      allowPushOptions,
      signal,
    });
  }
  if (mode === 'advertise') return;

  const reader = new PacketReader(request, limits.maxCommandBytes);
  const parser = new CommandParser({ format: repository.format, limits, allowPushOptions });
  try {
    if (await readCommands(reader, parser)) {
      yield* answerPush(repository, reader, parser, { ...options, hiddenRefs });
    }
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof GitError && error.code === 'ABORTED') throw error;
    options.onFailure?.(error);
    yield encodeFailure(error, parser.capabilities.has('side-band-64k'));
  } finally {
    await reader.close();
  }
}

async function* answerPush(
  repository: Repository,
  reader: PacketReader,
  parser: CommandParser,
  options: ReceivePackOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const pack = new IncomingPack(reader);
  const push = { repository, pack, parser, options };
  if (!parser.capabilities.has('side-band-64k')) {
    yield* executeAndReport(push, undefined, options.signal);
    return;
  }
  const { keepaliveMs } = options.limits;
  const banded = multiplex((bandTwo, signal) => executeAndReport(push, bandTwo, signal), {
    keepaliveMs,
    keepalive: KEEPALIVE,
    signal: options.signal,
  });
  for await (const chunk of banded) {
    // While the client is still sending it does not listen, and an HTTP response must not begin.
    if (chunk === KEEPALIVE && pack.isArriving(keepaliveMs)) continue;
    yield chunk;
  }
  yield FLUSH_PACKET;
}

interface IncomingPush {
  readonly repository: Repository;
  readonly pack: IncomingPack;
  readonly parser: CommandParser;
  readonly options: ReceivePackOptions;
}

/** Carry the push out and yield its report, if the client wants one. */
async function* executeAndReport(
  { repository, pack, parser, options }: IncomingPush,
  bandTwo: BandTwo | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const { capabilities, commands, pushOptions, shallow } = parser;
  const request: PushRequest = {
    commands,
    pushOptions,
    shallow,
    pack,
    atomic: capabilities.has('atomic'),
  };
  const rules: PushPipelineOptions = {
    ...options,
    authorizeRefUpdate: denyHiddenRefs(options.hiddenRefs, options.authorizeRefUpdate),
    signal,
    onError: options.onFailure,
    onMessage: (text) => bandTwo?.write(text),
    onProgress:
      bandTwo === undefined || capabilities.has('quiet')
        ? undefined
        : pushProgress((text) => bandTwo.write(text)),
  };
  const outcome = await executePush(repository, request, rules);
  try {
    const unpack = outcome.unpackError === undefined ? undefined : describeUnpackError(outcome.unpackError);
    if (unpack !== undefined) bandTwo?.write(`error: ${unpack.message}\n`);
    if (capabilities.has('report-status') || capabilities.has('report-status-v2')) {
      yield* formatReportStatus(unpack?.reason ?? 'ok', outcome.results);
    }
  } finally {
    await runPostReceive(repository, request, outcome, rules);
  }
}
