/**
 * Which wants are served. git checks wants in v0 and v1 only; here the policy holds in every version, so that
 * what no ref leads to (a commit that was removed, a hidden branch) is not handed out to whoever knows its id.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { ObjectId } from '../core/object-id.ts';
import { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { unreachableOf } from '../repository/reachability.ts';
import type { FetchContext } from './fetch-context.ts';
import { readShownRefs } from './ref-snapshot.ts';
import { warmShownRefs, wasShownLately } from './shown-refs/warm-shown-refs.ts';

/**
 * @param advertised the tips the client was shown, when it was in this conversation; else those of now
 * @throws {GitError} NOT_OUR_REF for the first want that is missing or that the policy refuses
 */
export async function checkWants(
  context: FetchContext,
  reader: ObjectReader,
  wants: readonly ObjectId[],
  advertised?: ReadonlySet<ObjectId>,
): Promise<void> {
  const pace = new Pace(context.options.signal);
  for (const id of wants) {
    if (pace.isDue()) await pace.rest();
    if (!reader.has(id)) throw notOurRef(id);
  }
  const [refused] = await refusedOf(context, reader, wants, advertised);
  if (refused !== undefined) throw notOurRef(refused);
}

/**
 * Have wants here that are missing and can be fetched, where that is allowed at all. Not where the policy asks what refs
 * reach: clients would decide what is fetched before it is known whether they may have it.
 *
 * @throws {GitError} ABORTED
 */
export async function fetchPromisedWants(
  { repository, options: { wantPolicy, signal } }: FetchContext,
  wants: readonly ObjectId[],
): Promise<void> {
  if (wantPolicy === 'any' && wants.length > 0) await repository.fetchPromised?.(wants, { signal });
}

/**
 * Of objects that exist, those that the policy refuses, in order.
 *
 * @param advertised as for {@link checkWants}
 */
export async function refusedOf(
  context: FetchContext,
  reader: ObjectReader,
  ids: readonly ObjectId[],
  advertised?: ReadonlySet<ObjectId>,
): Promise<readonly ObjectId[]> {
  const { repository, options } = context;
  const { wantPolicy, unwantedRefs: hiddenRefs, limits, signal } = options;
  if (wantPolicy === 'any') return [];
  const unadvertised = advertised === undefined ? ids : ids.filter((id) => !advertised.has(id));
  if (unadvertised.length === 0 || (await areTips(context, unadvertised))) return [];

  const refs = await readShownRefs(repository.refs, reader, { hiddenRefs, peel: false, signal });
  const tips = new Set(refs.map(({ id }) => id));
  const others = unadvertised.filter((id) => !tips.has(id) && !isTipLately(context, id));
  if (others.length === 0) return [];
  // The client chose from an advertisement of another time: what was a tip then may be history now.
  const mayBeOlder = advertised === undefined;
  if (wantPolicy === 'advertised' && !mayBeOlder) return others;

  const shallow = await repository.shallowCommits();
  return unreachableOf(reader, others, [...tips, ...(advertised ?? [])], { shallow, limits, signal });
}

/** What nearly every fetch wants: tips as they are now, or were a moment ago, found without reading all of them. */
async function areTips(context: FetchContext, wants: readonly ObjectId[]): Promise<boolean> {
  const { repository, options } = context;
  const shown = await warmShownRefs(repository, options.unwantedRefs, undefined, options);
  if (shown === undefined) return false;
  const pace = new Pace(options.signal);
  for (const id of wants) {
    if (pace.isDue()) await pace.rest();
    if (!isTipLately(context, id) && !(await shown.isTip(id))) return false;
  }
  return true;
}

/** Shown before a forced push or a deletion, to this client perhaps: it could not know. */
function isTipLately({ repository, options }: FetchContext, id: ObjectId): boolean {
  return wasShownLately(repository.refs, options.unwantedRefs, id);
}

function notOurRef(id: ObjectId): GitError {
  return new GitError('NOT_OUR_REF', `upload-pack: not our ref ${id}`, { id });
}
