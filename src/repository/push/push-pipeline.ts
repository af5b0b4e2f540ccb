/**
 * A push, from commands and a pack to moved refs, whatever carried it: quarantine, connectivity, hooks,
 * publication, compare-and-swap.
 * Spec: gitprotocol-pack(5), "Pushing Data To a Server"; githooks(5); git-receive-pack(1), "Quarantine Environment".
 *
 * @module
 */
import { GitError, isGitError, throwIfAborted } from '../../core/errors.ts';
import { Pace } from '../../core/pace.ts';
import type { ObjectTransaction } from '../../odb/object-database.ts';
import { configuredFsckRules } from '../fsck/fsck-config.ts';
import type { Repository } from '../repository.ts';
import { CommandLedger } from './command-ledger.ts';
import { finishFsck } from './finish-fsck.ts';
import { checkSignedOptions, judgeCertificate } from './judge-certificate.ts';
import { authorizeCommands, judgeCommands } from './judge-commands.ts';
import { publishPush } from './publish-push.ts';
import type { JudgedCertificate } from './push-certificate.ts';
import { type PushPipelineOptions, type PushRequest, PushSession } from './push-session.ts';
import type { RefCommand, RefCommandResult } from './ref-command.ts';
import { printable } from './ref-policy.ts';

export interface PushOutcome {
  /** Why the objects could not be stored; every command is refused as `unpacker error` then. */
  readonly unpackError?: GitError | undefined;
  /** One for each command, in order. */
  readonly results: readonly RefCommandResult[];
  /** The commands that were carried out. */
  readonly done: readonly RefCommand[];
  /** What was done: the same, but for commands in whose place something else was. */
  readonly changed: readonly RefCommand[];
  /** Of a signed push that somebody hears of. */
  readonly certificate?: JudgedCertificate | undefined;
}

/**
 * Do a whole push.
 *
 * @throws {GitError} ABORTED when the signal fires before refs begin to move: no ref has changed then.
 * Whatever else is wrong with the push or the storage is in the outcome
 */
export async function pushPipeline(
  repository: Repository,
  request: PushRequest,
  options: PushPipelineOptions,
): Promise<PushOutcome> {
  const outcome = await executePush(repository, request, options);
  await runPostReceive(repository, request, outcome, options);
  return outcome;
}

/**
 * Everything up to the moved refs. {@link runPostReceive} is what is left, for after the pusher has its report.
 *
 * @throws {GitError} as {@link pushPipeline}
 */
export async function executePush(
  repository: Repository,
  request: PushRequest,
  options: PushPipelineOptions,
): Promise<PushOutcome> {
  const session = new PushSession(repository, request, options);
  const ledger = new CommandLedger(request.commands);
  checkSignedOptions(ledger, session);
  if (ledger.hasPending()) {
    session.certificate = await judgeCertificate(session);
    await authorizeCommands(ledger, session);
  }
  if (!ledger.hasPending()) return await outcomeOf(ledger, session);

  await using quarantine = await receiveObjects(ledger, session);
  try {
    if (ledger.hasPending()) await judgeCommands(ledger, session, quarantine ?? repository.objects);
    if (ledger.hasPending()) await publishPush(ledger, session, quarantine);
  } finally {
    await session.shallowFile?.[Symbol.asyncDispose]();
  }
  return await outcomeOf(ledger, session);
}

/**
 * Tell the application and the repository's own hooks what was done: always, even when the pusher is gone, since the
 * refs have moved. What the application's hook throws goes to the log.
 */
export async function runPostReceive(
  repository: Repository,
  request: PushRequest,
  outcome: PushOutcome,
  options: PushPipelineOptions,
): Promise<void> {
  const { hooks } = options;
  const session = new PushSession(repository, request, options);
  const { changed, done } = outcome;
  session.certificate = outcome.certificate;
  try {
    if (hooks?.postReceive !== undefined && changed.length > 0) {
      await session.withContext(changed, repository.objects, async (context) => {
        await hooks.postReceive?.(context);
      });
    }
  } catch (error) {
    session.logError(error);
  }
  if (changed.length > 0) await session.executableHooks?.postReceive(changed);
  if (done.length === 0) return;
  await session.executableHooks?.postUpdate(done);
  await repository.afterPush?.({
    onOutput: (text) => session.relay(text),
    timeoutMs: session.limits.hookTimeoutMs,
  });
}

/** @returns the quarantine holding what was sent; `undefined` when nothing was to be, or when that failed */
async function receiveObjects(
  ledger: CommandLedger,
  session: PushSession,
): Promise<ObjectTransaction | undefined> {
  const { repository, request, signal, limits, unpackLimit } = session;
  const { writeObjects, commands } = request;
  const deletesOnly = commands.every((command) => command.kind === 'delete'); // no pack follows then
  const pack = deletesOnly ? undefined : request.pack;
  const hasObjects = !deletesOnly && (pack !== undefined || writeObjects !== undefined);
  if (!hasObjects && session.certificate === undefined) return undefined;

  let quarantine: ObjectTransaction | undefined;
  try {
    quarantine = await repository.objects.begin({ signal });
    if (pack !== undefined) {
      const { onProgress, collisionDetection } = session.options;
      // A peer whose connection stays open waits for its report before it ends its stream.
      const allowTrailingBytes = true;
      const fsck = await configuredFsckRules(repository, session.options.fsckObjects, (text) =>
        session.sayLine('warning', printable(text)),
      );
      const options = {
        limits,
        unpackLimit,
        collisionDetection,
        fsck,
        onProgress,
        signal,
        allowTrailingBytes,
      };
      session.received = await quarantine.writePack(pack, options);
      const { completedCount } = session.received;
      if (session.options.rejectThinPacks === true && completedCount > 0) {
        throw new GitError('PACK_CORRUPT', `pack has deltas whose base is missing: ${completedCount}`);
      }
      await finishFsck(session, quarantine, session.received.findings);
    }
    if (hasObjects) await writeObjects?.(quarantine);
    if (session.certificate !== undefined) {
      await quarantine.writeObject('blob', session.certificate.certificate.bytes);
    }
    return quarantine;
  } catch (error) {
    await quarantine?.[Symbol.asyncDispose]();
    throwIfAborted(signal);
    if (!isGitError(error) || error.code === 'ABORTED') throw error;
    session.logError(error);
    ledger.failUnpack(error);
    return undefined;
  }
}

async function outcomeOf(ledger: CommandLedger, { certificate }: PushSession): Promise<PushOutcome> {
  const pace = new Pace(undefined); // refs have moved: whoever is gone, others are told
  const results = ledger.results();
  if (pace.isDue()) await pace.rest();
  const done = ledger.done();
  if (pace.isDue()) await pace.rest();
  const changed = ledger.changed();
  if (pace.isDue()) await pace.rest();
  return { certificate, unpackError: ledger.unpackError, results, done, changed };
}
