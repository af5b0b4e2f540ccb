/**
 * Is everything there that the new tips need? What refs reach is trusted to be complete; an object that merely
 * exists is not, since it may be what is left of a half-collected history.
 * Spec: git's connected.c: one walk for all tips; only when it fails, one for each ref to find the guilty.
 *
 * @module
 */
import { isGitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { type Connectivity, checkConnectivity } from '../connectivity.ts';
import type { CommandLedger } from './command-ledger.ts';
import type { PushedObjects } from './hooks.ts';
import type { PushSession } from './push-session.ts';
import { printable } from './ref-policy.ts';

/** Refuse every pending command whose new tip lacks something. */
export async function checkTips(
  ledger: CommandLedger,
  session: PushSession,
  objects: PushedObjects,
): Promise<void> {
  const tips = new Set<ObjectId>();
  for (const command of ledger.pending()) if (command.kind !== 'delete') tips.add(command.newId);
  if (tips.size === 0) return;

  const { repository, signal } = session;
  const reader = await objects.openReader({ signal });
  try {
    const refs = await repository.refs.list(undefined, { signal });
    const check = new TipCheck(session, reader, await repository.shallowCommits(), refs);
    if ((await check.findFault([...tips])) === undefined) return;
    await refuseDisconnected(ledger, session, check);
  } finally {
    reader.release();
  }
}

async function refuseDisconnected(
  ledger: CommandLedger,
  session: PushSession,
  check: TipCheck,
): Promise<void> {
  const reasons = new Map<ObjectId, string | undefined>();
  for (const command of ledger.pending()) {
    if (command.kind === 'delete') continue;
    const { newId } = command;
    if (!reasons.has(newId)) reasons.set(newId, await disconnection(newId, session, check));
    const reason = reasons.get(newId);
    if (reason !== undefined) ledger.refuse(command, reason);
  }
}

async function disconnection(
  tip: ObjectId,
  session: PushSession,
  check: TipCheck,
): Promise<string | undefined> {
  const fault = await check.findFault([tip]);
  if (fault === undefined) {
    check.trust(tip);
    return undefined;
  }
  // A history that is whole but for where the pusher's own ends: the pusher could not have sent more.
  const { shallow = [] } = session.request;
  if (shallow.length > 0 && (await check.findFault([tip], shallow)) === undefined) {
    return 'shallow update not allowed';
  }
  session.sayLine('error', fault);
  return 'missing necessary objects';
}

class TipCheck {
  readonly #session: PushSession;
  readonly #reader: ObjectReader;
  readonly #shallowHere: ReadonlySet<ObjectId>;
  readonly #trusted: Set<ObjectId>;

  constructor(
    session: PushSession,
    reader: ObjectReader,
    shallowHere: ReadonlySet<ObjectId>,
    refs: readonly { readonly id: ObjectId }[],
  ) {
    this.#session = session;
    this.#reader = reader;
    this.#shallowHere = shallowHere;
    this.#trusted = new Set(refs.map((ref) => ref.id));
  }

  /** Count what `tip` reaches as complete from now on. */
  trust(tip: ObjectId): void {
    this.#trusted.add(tip);
  }

  /**
   * @param boundary commits whose parents are not looked for, besides this repository's own
   * @returns what keeps `tips` from being whole; `undefined` when nothing does
   */
  async findFault(
    tips: readonly ObjectId[],
    boundary: readonly ObjectId[] = [],
  ): Promise<string | undefined> {
    const { signal, options } = this.#session;
    try {
      const connectivity = await checkConnectivity(this.#reader, tips, [...this.#trusted], {
        shallow: boundary.length === 0 ? this.#shallowHere : new Set([...this.#shallowHere, ...boundary]),
        limits: options.limits,
        onProgress: options.onProgress,
        signal,
      });
      return describeFault(connectivity);
    } catch (error) {
      if (!isGitError(error, 'OBJECT_CORRUPT', 'PACK_CORRUPT', 'LIMIT_EXCEEDED')) throw error;
      this.#session.logError(error);
      return printable(error.message);
    }
  }
}

function describeFault(connectivity: Connectivity): string | undefined {
  if (connectivity.ok) return undefined;
  const { missing, missingKind, referredBy } = connectivity;
  if (missing === referredBy) return `missing ${missingKind} ${missing}`;
  return `missing ${missingKind} ${missing}, which ${referredBy} refers to`;
}
