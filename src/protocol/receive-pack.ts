/**
 * receive-pack: the server's side of `git push`. Version 2 of the protocol has no push: a client that offers it
 * is answered in version 0.
 * Spec: gitprotocol-pack(5), "Pushing Data To a Server"; gitprotocol-capabilities(5); gitprotocol-v2(5).
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { concatBytes, encodeText } from '../core/bytes.ts';
import { isGitError, throwIfAborted } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import { Pace } from '../core/pace.ts';
import { configuredHiddenRefs } from '../repository/hidden-ref-config.ts';
import { hiddenElsewhere, hiddenWithin } from '../repository/namespace.ts';
import { executePush, runPostReceive } from '../repository/push/push-pipeline.ts';
import type { PushPipelineOptions, PushRequest, PushRules } from '../repository/push/push-session.ts';
import type { Repository } from '../repository/repository.ts';
import type { Pass } from './admission.ts';
import { admitWork, isToldByCarrier } from './admit-work.ts';
import { PacketReader } from './packet-reader.ts';
import { FLUSH_PACKET } from './pkt-line.ts';
import { advertiseForPush } from './receive-pack/advertise.ts';
import {
  configuredNonce,
  createNonce,
  judgeNonce,
  type NonceRules,
} from './receive-pack/certificate-nonce.ts';
import { encodeFailure } from './receive-pack/failure.ts';
import { denyHiddenRefs } from './receive-pack/hidden-ref-updates.ts';
import { HookRelay } from './receive-pack/hook-relay.ts';
import { IncomingPack } from './receive-pack/incoming-pack.ts';
import { CommandParser, readCommands } from './receive-pack/parse-commands.ts';
import { talkToProcReceive } from './receive-pack/proc-receive.ts';
import { pushProgress } from './receive-pack/push-progress.ts';
import { formatReportStatus } from './receive-pack/report-status.ts';
import { describeUnpackError } from './receive-pack/unpack-status.ts';
import type { ServiceOptions } from './service.ts';
import { type BandTwo, multiplex } from './side-band.ts';

/** An empty packet on band 1, known by being this very array. */
const KEEPALIVE: Uint8Array = concatBytes(encodeText('0005'), Uint8Array.of(1));

export interface ReceivePackOptions extends ServiceOptions, Omit<PushRules, 'onError'> {
  /**
   * Advertise push options. Default: the repository's receive.advertisePushOptions, and true where it says nothing:
   * git then does not, but here hooks in the same process read them.
   */
  readonly allowPushOptions?: boolean | undefined;
  /** Receives text for the pusher's terminal that the client did not ask to be sent: for this process's own. */
  readonly onMessage?: ((text: string) => void) | undefined;
  /** Patterns of refs that are neither shown nor changed, besides the repository's own receive.hideRefs. */
  readonly hiddenRefs?: readonly string[] | undefined;
  /**
   * What the repository is called in nonces of signed pushes: the same on every server that is to know the others' nonces.
   * git takes its path as receive-pack was given it, which over HTTP is `.`. Default: the repository's path, or else its
   * label.
   */
  readonly nonceScope?: string | undefined;
}

/**
 * Serve one push. Reads `request` as far as its pack goes and not further; whoever owns the connection decides
 * about the rest, also when a push is refused early.
 *
 * @throws {GitError} ABORTED when the signal fires or nobody reads the answer; no ref has moved then, or all
 * that was asked has been done; OVERLOADED and RATE_LIMITED of `admit` in the mode `stateless`, before anything is
 * yielded. Other failures are answered in the protocol and given to `onFailure`
 */
export async function* receivePack(
  repository: Repository,
  request: ByteStream,
  options: ReceivePackOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const { mode, signal } = options;
  const limits = withKeepalive(options.limits, repository.config?.getInteger('receive.keepAlive'));
  const nonceRules = nonceRulesOf(repository, options);
  const certificateNonce = nonceRules && createNonce(nonceRules, Math.floor(Date.now() / MS_PER_SECOND));
  const allowPushOptions =
    options.allowPushOptions ?? repository.config?.getBoolean('receive.advertisePushOptions') ?? true;
  // The application's patterns come last, so that a repository cannot show what the application hides.
  const hidden = [...configuredHiddenRefs(repository.config, 'receive'), ...(options.hiddenRefs ?? [])];
  const hiddenRefs = hiddenWithin(hidden, repository.namespace?.prefix ?? '');
  if (mode !== 'stateless') {
    yield* advertiseForPush(repository, {
      version: options.protocolVersion === 1 ? 1 : 0,
      hiddenRefs,
      hiddenElsewhere: hiddenElsewhere(hidden),
      allowPushOptions,
      certificateNonce,
      signal,
    });
  }
  if (mode === 'advertise') return;

  const reader = new PacketReader(request, limits.maxCommandBytes);
  const parser = new CommandParser({ format: repository.format, limits, allowPushOptions });
  let pass: Pass | undefined;
  let isPublished = false;
  try {
    if (await readCommands(reader, parser, { signal })) {
      pass = await admitWork(options.admit, { kind: 'push', repository }, signal);
      const rulesOfOthers = mode === 'stateless' ? nonceRules : undefined;
      const { certificate } = parser;
      const signedPush = certificate && {
        certificate,
        nonce: judgeNonce(certificate.nonce, certificateNonce, rulesOfOthers),
      };
      const onPublish = (): void => {
        isPublished = true;
      };
      const pack = new IncomingPack(reader, (sizeBytes) => pass?.take?.(sizeBytes));
      yield* answerPush(repository, pack, parser, { ...options, limits, hiddenRefs, signedPush, onPublish });
    }
  } catch (error) {
    throwIfAborted(signal);
    if (isGitError(error, 'ABORTED')) {
      // A client that is too slow is there, and may listen.
      if (mode === 'stateful') yield encodeFailure(error, parser.capabilities.has('side-band-64k'));
      throw error;
    }
    if (pass === undefined && isToldByCarrier(error, mode)) throw error;
    options.onFailure?.(error);
    yield encodeFailure(error, parser.capabilities.has('side-band-64k'));
  } finally {
    pass?.release(isPublished);
    await reader.close();
  }
}

const MS_PER_SECOND = 1000;

/** `receive.keepAlive` in seconds; 0 and less sends none. */
function withKeepalive(limits: Limits, seconds: number | undefined): Limits {
  return seconds === undefined ? limits : { ...limits, keepaliveMs: Math.max(0, seconds) * MS_PER_SECOND };
}

function nonceRulesOf(repository: Repository, { nonceScope }: ReceivePackOptions): NonceRules | undefined {
  const { config, runtime, format, path, label } = repository;
  return configuredNonce(config, { runtime, format, scope: nonceScope ?? path ?? label });
}

/** What one push is carried out with. */
interface AnswerOptions extends ReceivePackOptions {
  readonly signedPush: PushRequest['signedPush'];
  readonly onPublish: () => void;
}

async function* answerPush(
  repository: Repository,
  pack: IncomingPack,
  parser: CommandParser,
  options: AnswerOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const push = { repository, pack, parser, options };
  if (!parser.capabilities.has('side-band-64k')) {
    yield* executeAndReport(push, undefined, undefined, options.signal);
    return;
  }
  const { keepaliveMs } = options.limits;
  let relay: HookRelay | undefined;
  const work = (bandTwo: BandTwo, signal: AbortSignal) => {
    relay = new HookRelay(bandTwo, signal);
    return executeAndReport(push, bandTwo, relay, signal);
  };
  const banded = multiplex(work, { keepaliveMs, keepalive: KEEPALIVE, signal: options.signal });
  for await (const chunk of banded) {
    relay?.onTaken(); // whatever was said is in this chunk or has been sent
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
  readonly options: AnswerOptions;
}

/** Carry the push out and yield its report, if the client wants one. */
async function* executeAndReport(
  { repository, pack, parser, options }: IncomingPush,
  bandTwo: BandTwo | undefined,
  relay: HookRelay | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const { capabilities, commands, shallow } = parser;
  const pushOptions = capabilities.has('push-options') ? parser.pushOptions : undefined;
  const request: PushRequest = {
    commands,
    pushOptions,
    shallow,
    pack,
    atomic: capabilities.has('atomic'),
    signedPush: options.signedPush,
  };
  const rules: PushPipelineOptions = {
    ...options,
    authorizeRefUpdate: denyHiddenRefs(options.hiddenRefs, options.authorizeRefUpdate),
    signal,
    onError: options.onFailure,
    onMessage: (text) => (bandTwo === undefined ? options.onMessage?.(text) : bandTwo.write(text)),
    onHookOutput: relay === undefined ? undefined : (text) => relay.write(text),
    delegate: talkToProcReceive,
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
      const withReports = capabilities.has('report-status-v2');
      const pace = new Pace(undefined);
      for (const packets of formatReportStatus(unpack?.reason ?? 'ok', outcome.results, withReports)) {
        yield packets;
        if (pace.isDue()) await pace.rest();
      }
    }
  } finally {
    await runPostReceive(repository, request, outcome, rules);
  }
}
