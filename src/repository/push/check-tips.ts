/**
 * Is everything there that the new tips need? What refs reach is trusted to be complete; an object that merely
 * exists is not, since it may be what is left of a half-collected history.
 * Spec: git's connected.c: one walk for all tips; only when it fails, a search for the guilty.
 *
 * @module
 */
import { GitError, isGitError } from '../../core/errors.ts';
import { hexToBytes, type ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { MissingObject } from '../commit-walk.ts';
import { type Connectivity, checkConnectivity } from '../connectivity.ts';
import { isQuicklyConnected } from '../quick-connectivity.ts';
import type { CommandLedger } from './command-ledger.ts';
import type { PushedObjects } from './hooks.ts';
import type { PushSession } from './push-session.ts';
import { printable } from './ref-policy.ts';
import { neededRoots } from './shallow-roots.ts';

/**
 * Walks spent on finding out which tips of a push lack something. Each reads all refs: a push of fifty thousand
 * broken tips must not cost fifty thousand of them. When they are used up, the rest is refused together.
 */
const MAX_SEARCH_WALKS = 200;

/** Commands of a push whose refs are read one by one, before all refs are. */
const FEW_COMMANDS = 16;

/**
 * Refuse every pending command whose new tip lacks something. When the sent objects are checked, one of them that refers to
 * what is nowhere fails the whole push, as `--strict` has it in git's unpack-objects and index-pack.
 */
export async function checkTips(
  ledger: CommandLedger,
  session: PushSession,
  objects: PushedObjects,
): Promise<void> {
  const tips = new Set<ObjectId>();
  for (const command of ledger.pending()) if (command.kind !== 'delete') tips.add(command.newId);
  if (tips.size === 0) return;

  const { repository, signal } = session;
  const pace = new Pace(signal);
  const reader = await objects.openReader({ signal });
  try {
    removeConnected(tips, session, reader);
    if (tips.size === 0) return;
    if (pace.isDue()) await pace.rest();

    const shallow = await repository.shallowCommits();
    if (shallow.size === 0 && (await areQuicklyConnected(ledger, session, reader, tips))) return;

    const refs = await repository.refs.list(undefined, { signal });
    const others = (await repository.namespace?.otherRefs({ signal })) ?? [];
    const borrowed = (await repository.alternateTips?.({ signal })) ?? [];
    const ids = [...refs, ...others].map(({ id }) => id);
    const trusted = await presentIds([...ids, ...borrowed], reader, signal);
    const check = new TipCheck(session, reader, shallow, trusted);
    const reasons = await check.reasons([...tips]);
    if (check.brokenLink !== undefined) {
      session.logError(check.brokenLink);
      ledger.failUnpack(check.brokenLink);
      return;
    }
    for (const command of ledger.pending()) {
      const reason = command.kind === 'delete' ? undefined : reasons.get(command.newId);
      if (reason !== undefined) ledger.refuse(command, reason);
    }
  } finally {
    reader.release();
  }
}

/** What a ref holds and the database does not have vouches for nothing. */
async function presentIds(
  ids: readonly ObjectId[],
  reader: ObjectReader,
  signal: AbortSignal,
): Promise<Set<ObjectId>> {
  const present = new Set<ObjectId>();
  const pace = new Pace(signal);
  for (const id of ids) {
    if (pace.isDue()) await pace.rest();
    if (reader.has(id)) present.add(id);
  }
  return present;
}

/** Remove the tips that are in the pack just received, when that is known to hold all that its objects refer to. */
function removeConnected(tips: Set<ObjectId>, { received }: PushSession, reader: ObjectReader): void {
  if (received?.isSelfContained !== true) return;
  const pack = reader.packs.find(({ name }) => name === `pack-${received.packId}`);
  for (const tip of pack === undefined ? [] : tips) {
    if (pack?.index.rankOf(hexToBytes(tip), 0) !== -1) tips.delete(tip);
  }
}

/** For new commits on top of the refs that are pushed to: no other ref has to be looked at. */
async function areQuicklyConnected(
  ledger: CommandLedger,
  { repository, limits, signal }: PushSession,
  reader: ObjectReader,
  tips: ReadonlySet<ObjectId>,
): Promise<boolean> {
  const updates = ledger.pending().filter(({ kind }) => kind === 'update');
  if (updates.length === 0 || updates.length > FEW_COMMANDS) return false;
  const trusted = new Set<ObjectId>();
  for (const { name } of updates) {
    const ref = await repository.refs.resolve(name, { signal });
    if (ref !== undefined && reader.has(ref.id)) trusted.add(ref.id);
  }
  try {
    return isQuicklyConnected(reader, [...tips], trusted, limits);
  } catch (error) {
    if (!isGitError(error, 'OBJECT_CORRUPT', 'PACK_CORRUPT', 'LIMIT_EXCEEDED')) throw error;
    return false; // the walk meets the same, and says which tips it concerns
  }
}

class TipCheck {
  readonly #session: PushSession;
  readonly #reader: ObjectReader;
  readonly #shallowHere: ReadonlySet<ObjectId>;
  /** Ids whose history is complete. */
  readonly #trusted: Set<ObjectId>;
  readonly #reasons = new Map<ObjectId, string>();
  /** FSCK_FAILED: a sent object refers to one that is nowhere. Only looked for when sent objects are checked. */
  brokenLink: GitError | undefined;
  #walksLeft = MAX_SEARCH_WALKS;

  constructor(
    session: PushSession,
    reader: ObjectReader,
    shallowHere: ReadonlySet<ObjectId>,
    trusted: Set<ObjectId>,
  ) {
    this.#session = session;
    this.#reader = reader;
    this.#shallowHere = shallowHere;
    this.#trusted = trusted;
  }

  /** Why tips are refused; those that are whole are not among the keys. */
  async reasons(tips: readonly ObjectId[]): Promise<ReadonlyMap<ObjectId, string>> {
    const present = tips.filter((tip) => this.#trusted.has(tip) || this.#isPresent(tip));
    if (present.length > 0 && (await this.#findFault(present)) !== undefined) await this.#search(present);
    return this.#reasons;
  }

  #isPresent(tip: ObjectId): boolean {
    if (this.#reader.has(tip)) return true;
    this.#refuse(tip, describeTip(tip));
    return false;
  }

  /** Halve tips that together lack something until each that does is found. */
  async #search(tips: readonly ObjectId[]): Promise<void> {
    const [first, ...others] = tips;
    if (first === undefined) return;
    if (others.length === 0 || this.#walksLeft <= 0) {
      for (const tip of tips) await this.#judge(tip);
      return;
    }
    const middle = tips.length >> 1;
    const left = tips.slice(0, middle);
    const right = tips.slice(middle);
    const leftFails = (await this.#findFault(left)) !== undefined;
    if (leftFails) await this.#search(left);
    else for (const tip of left) this.#trusted.add(tip);
    // When the left half is whole, the fault is in the right one.
    if (!leftFails || (await this.#findFault(right)) !== undefined) await this.#search(right);
  }

  /** Say what is wrong with one tip of those that lack something. */
  async #judge(tip: ObjectId): Promise<void> {
    if (this.#walksLeft <= 0) {
      this.#reasons.set(tip, 'missing necessary objects');
      return;
    }
    const fault = await this.#findFault([tip]);
    if (fault === undefined) this.#trusted.add(tip);
    else if (!(await this.#endsEarly(tip))) await this.#blame(tip, fault);
  }

  /**
   * A history that is whole but for where the pusher's own ends: the pusher could not have sent more. It is to end there
   * too, or the tip is refused.
   *
   * @returns false for any other
   */
  async #endsEarly(tip: ObjectId): Promise<boolean> {
    const { repository, shallowRoots } = this.#session;
    const roots = await this.#rootsOf(tip);
    if (roots.length === 0 || (await this.#findFault([tip], roots)) !== undefined) return false;
    const isAllowed = repository.config?.getBoolean('receive.shallowUpdate') === true;
    if (isAllowed && repository.shallowRoots !== undefined) shallowRoots.set(tip, roots);
    else this.#reasons.set(tip, 'shallow update not allowed');
    return true;
  }

  async #rootsOf(tip: ObjectId): Promise<readonly ObjectId[]> {
    const { request, limits, signal } = this.#session;
    const { shallow = [] } = request;
    if (shallow.length === 0) return [];
    const [reader, trusted, shallowHere] = [this.#reader, this.#trusted, this.#shallowHere];
    try {
      return await neededRoots(tip, shallow, { reader, trusted, shallowHere, limits, signal });
    } catch (error) {
      if (!isGitError(error, 'OBJECT_CORRUPT', 'PACK_CORRUPT', 'LIMIT_EXCEEDED')) throw error;
      this.#session.logError(error);
      return [];
    }
  }

  async #blame(tip: ObjectId, { text, referrer }: Fault): Promise<void> {
    const isChecked = this.#session.received?.findings !== undefined;
    if (isChecked && referrer !== undefined && !(await this.#wasHere(referrer))) {
      this.brokenLink ??= new GitError('FSCK_FAILED', text, { id: referrer });
      return;
    }
    this.#refuse(tip, text);
  }

  /** Whether an object was stored before this push. */
  async #wasHere(id: ObjectId): Promise<boolean> {
    const { repository, signal } = this.#session;
    const reader = await repository.objects.openReader({ signal });
    try {
      return reader.has(id);
    } finally {
      reader.release();
    }
  }

  /** @param fault in the words of the rev-list that git runs here */
  #refuse(tip: ObjectId, fault: string): void {
    this.#session.sayLine('fatal', fault);
    this.#session.options.onDisconnected?.(fault);
    this.#reasons.set(tip, 'missing necessary objects');
  }

  /**
   * @param roots commits whose parents are not looked for, besides this repository's own
   * @returns what keeps `tips` from being whole; `undefined` when nothing does
   */
  async #findFault(tips: readonly ObjectId[], roots: readonly ObjectId[] = []): Promise<Fault | undefined> {
    const { signal, limits, options } = this.#session;
    this.#walksLeft--;
    try {
      const connectivity = await checkConnectivity(this.#reader, tips, [...this.#trusted], {
        shallow: roots.length === 0 ? this.#shallowHere : new Set([...this.#shallowHere, ...roots]),
        limits,
        onProgress: options.onProgress,
        signal,
      });
      return describeFault(connectivity, this.#reader);
    } catch (error) {
      if (!isGitError(error, 'OBJECT_CORRUPT', 'PACK_CORRUPT', 'LIMIT_EXCEEDED')) throw error;
      this.#session.logError(error);
      return { text: printable(error.message), referrer: undefined };
    }
  }
}

/** What keeps a tip from being whole. */
interface Fault {
  readonly text: string;
  /** What refers to the missing object; `undefined` when that is a new tip, or when nothing is missing but broken. */
  readonly referrer: ObjectId | undefined;
}

function describeFault(connectivity: Connectivity, reader: ObjectReader): Fault | undefined {
  if (connectivity.ok) return undefined;
  const { missing, missingKind, referredBy } = connectivity;
  if (missing === referredBy) return { text: describeTip(missing), referrer: undefined };
  const isTagged = reader.readHeader(referredBy)?.kind === 'tag';
  const text = isTagged
    ? `${describeTip(missing)}, which tag ${referredBy} is of`
    : describeMissing(missing, missingKind, referredBy);
  return { text, referrer: referredBy };
}

function describeTip(id: ObjectId): string {
  return `bad object ${id}`;
}

function describeMissing(id: ObjectId, kind: MissingObject['kind'], referredBy: ObjectId): string {
  switch (kind) {
    case 'commit':
      return `Failed to traverse parents of commit ${referredBy}: ${id} is missing`;
    case 'tree':
      return `bad tree object ${id}, which ${referredBy} refers to`;
    default:
      return `missing ${kind} object '${id}', which ${referredBy} refers to`;
  }
}
