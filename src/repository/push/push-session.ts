/**
 * One push under way: what was asked, how it is judged, what its hooks see, and whom it talks to.
 *
 * @module
 */
import type { ByteStream, Cancellable, ProgressListener } from '../../core/byte-stream.ts';
import type { Limits } from '../../core/limits.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { ObjectTransaction, WritePackResult } from '../../odb/object-database.ts';
import type { Identity } from '../../refs/ref-database.ts';
import type { Repository } from '../repository.ts';
import { certificateEnvironment } from './certificate-environment.ts';
import type { Delegate } from './delegate.ts';
import { ExecutableHooks } from './executable-hooks.ts';
import type {
  HookAnswer,
  PushContext,
  PushedObjects,
  PushHooks,
  RefUpdateAuthorizer,
  Rejection,
  UpdatesAuthorizer,
} from './hooks.ts';
import type { JudgedCertificate, JudgedNonce, PushCertificate } from './push-certificate.ts';
import { configuredUnpackLimit, effectiveLimits, effectivePolicy } from './push-config.ts';
import type { RefCommand } from './ref-command.ts';
import type { EffectiveRefPolicy, RefPolicy } from './ref-policy.ts';
import { askHook, HookObjects } from './run-hooks.ts';
import type { TemporaryShallowFile } from './shallow-roots.ts';
import type { SignatureVerifier } from './signature-verifier.ts';

/** What one push asks for. */
export interface PushRequest {
  readonly commands: readonly RefCommand[];
  /** Read once, only when some command is allowed and not all of them delete. Absent when nothing arrives. */
  readonly pack?: ByteStream | undefined;
  /** Store objects another way, for changes made through the API. */
  readonly writeObjects?: ((quarantine: ObjectTransaction) => Promise<unknown>) | undefined;
  readonly pushOptions?: readonly string[] | undefined;
  /** All refs move, or none. */
  readonly atomic?: boolean | undefined;
  /** Commits whose parents the pusher does not have. */
  readonly shallow?: readonly ObjectId[] | undefined;
  /** The certificate that the commands were in, and what its nonce is worth. */
  readonly signedPush?: { readonly certificate: PushCertificate; readonly nonce: JudgedNonce } | undefined;
}

/** How pushes into a repository are judged. An application sets these once. */
export interface PushRules {
  readonly hooks?: PushHooks | undefined;
  /** Asked for each ref before the pack is read. */
  readonly authorizeRefUpdate?: RefUpdateAuthorizer | undefined;
  /** Asked about all that is left then, and again once it is known what is forced. */
  readonly authorizeUpdates?: UpdatesAuthorizer | undefined;
  readonly policy?: RefPolicy | undefined;
  /** Who the reflog names; hooks see it too. */
  readonly identity?: Identity | undefined;
  /**
   * Checks the signatures of signed pushes. Default: the programs that the repository's configuration lets git run, where
   * there are any; without them hooks are told that the signature could not be checked.
   */
  readonly verifySignature?: SignatureVerifier | undefined;
  /** Handed to hooks as it is. */
  readonly principal?: unknown;
  /** Packs of fewer objects become loose objects, 0 for never. Default: the repository's receive.unpackLimit, 100. */
  readonly unpackLimit?: number | undefined;
  /** Refuse packs with deltas whose base is not in them, which pushers may send otherwise. Default false. */
  readonly rejectThinPacks?: boolean | undefined;
  /** Refuse objects that carry a SHA-1 collision attack, or differ from the stored one of their id. Default true. */
  readonly collisionDetection?: boolean | undefined;
  /** Refuse objects that `git fsck --strict` finds wrong. Default: as the repository's receive.fsckObjects says. */
  readonly fsckObjects?: boolean | undefined;
  /**
   * Believe that all the new tips reach is here or in the pack: for whoever makes sure of it in another way. Pushes from
   * shallow clones, and those whose objects are checked, are looked at all the same. Default false.
   */
  readonly skipConnectivityCheck?: boolean | undefined;
  /** Told of failures whose detail is for the log only: a broken hook, a full disk. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Told, in a sentence, why history was found to be missing; the pusher is told as well. */
  readonly onDisconnected?: ((text: string) => void) | undefined;
}

export interface PushPipelineOptions extends PushRules, Cancellable {
  readonly limits: Limits;
  readonly onProgress?: ProgressListener | undefined;
  /** Receives lines for the pusher's terminal, newline included. */
  readonly onMessage?: ((text: string) => void) | undefined;
  /**
   * Receives what the repository's own hooks print, in pieces; they are held back until the promise is kept. Must not
   * reject. Default: `onMessage`.
   */
  readonly onHookOutput?: ((text: string) => Promise<void>) | undefined;
  /** Told that what was pushed has been published, refs or objects: whatever comes of it afterwards, it takes room now. */
  readonly onPublish?: (() => void) | undefined;
  /** Talks with the proc-receive hook. Without it, commands of receive.procReceiveRefs are refused. */
  readonly delegate?: Delegate | undefined;
}

const NEVER_ABORTED = new AbortController().signal;

export class PushSession {
  readonly repository: Repository;
  readonly request: PushRequest;
  readonly options: PushPipelineOptions;
  readonly signal: AbortSignal;
  /** Of the application and of the repository's configuration together, as are the limits. */
  readonly policy: EffectiveRefPolicy;
  readonly limits: Limits;
  readonly unpackLimit: number | undefined;
  /** What came of the pack, once it is in the quarantine. */
  received: WritePackResult | undefined;
  /** Commits at which history will have to end here, too: for each new tip those that it needs. */
  readonly shallowRoots = new Map<ObjectId, readonly ObjectId[]>();
  /** Lists them until they are added, for hooks. */
  shallowFile: TemporaryShallowFile | undefined;
  /** When every command was allowed, before the pack was read, by a clock that never goes back; in milliseconds. */
  authorizedAt = Number.NEGATIVE_INFINITY;
  /** What is known of the push's certificate, once it has been looked at. */
  certificate: JudgedCertificate | undefined;
  /** Those of the repository itself; `undefined` when it has none. */
  readonly executableHooks: ExecutableHooks | undefined;

  constructor(repository: Repository, request: PushRequest, options: PushPipelineOptions) {
    this.repository = repository;
    this.request = request;
    this.options = options;
    this.signal = options.signal ?? NEVER_ABORTED;
    this.policy = effectivePolicy(options.policy ?? {}, repository.config);
    this.limits = effectiveLimits(options.limits, repository.config);
    this.unpackLimit = options.unpackLimit ?? configuredUnpackLimit(repository.config);
    this.executableHooks = this.#executableHooks();
  }

  #executableHooks(): ExecutableHooks | undefined {
    const { repository, request, options, signal } = this;
    const { hooks, format } = repository;
    if (hooks === undefined) return undefined;
    const { pushOptions = [] } = request;
    const { identity, principal } = options;
    const { hookTimeoutMs: timeoutMs } = this.limits;
    const onOutput = (text: string) => this.relay(text);
    return new ExecutableHooks({
      hooks,
      format,
      pushOptions,
      identity,
      principal,
      timeoutMs,
      signal,
      environment: () => certificateEnvironment(this.certificate),
      shallowFile: () => this.shallowFile?.path,
      onOutput,
    });
  }

  /** Text as it is in the pusher's terminal; waits while the pusher is slow to read. */
  async relay(text: string): Promise<void> {
    const { onHookOutput, onMessage } = this.options;
    if (onHookOutput === undefined) onMessage?.(text);
    else await onHookOutput(text);
  }

  /** A line of ours in the pusher's terminal, as git's receive-pack prints its own. */
  sayLine(kind: 'fatal' | 'error' | 'warning', text: string): void {
    this.options.onMessage?.(`${kind}: ${text}\n`);
  }

  logError(error: unknown): void {
    this.options.onError?.(error);
  }

  /** @returns why not, `undefined` for yes; see {@link askHook} */
  ask(question: () => HookAnswer | Rejection | undefined, declined: string): Promise<string | undefined> {
    return askHook(question, declined, this.signal, (error) => this.logError(error));
  }

  /** Run `use` with what a hook is given, and release what the hook opened. */
  async withContext<Result>(
    commands: readonly RefCommand[],
    objects: PushedObjects,
    use: (context: PushContext) => Promise<Result>,
  ): Promise<Result> {
    const hookObjects = new HookObjects(objects);
    try {
      return await use({ ...this.contextWithoutObjects(), commands, objects: hookObjects });
    } finally {
      hookObjects.releaseAll();
    }
  }

  contextWithoutObjects(): Omit<PushContext, 'objects' | 'commands'> {
    const { repository, request, options, signal, certificate } = this;
    return {
      repository,
      pushCertificate: certificate,
      pushOptions: request.pushOptions ?? [],
      atomic: request.atomic === true,
      principal: options.principal,
      identity: options.identity,
      signal,
      say: (text) => options.onMessage?.(text.endsWith('\n') ? text : `${text}\n`),
    };
  }
}
