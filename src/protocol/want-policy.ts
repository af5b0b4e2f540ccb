/**
 * Which wants are served. git checks wants in v0 and v1 only; here the policy holds in every version, so that
 * what no ref leads to (a commit that was removed, a hidden branch) is not handed out to whoever knows its id.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { Pace } from '../repository/pace.ts';
import { unreachableOf } from '../repository/reachability.ts';
import type { FetchContext } from './fetch-context.ts';
import { readShownRefs } from './ref-snapshot.ts';
import { warmShownRefs } from './shown-refs/warm-shown-refs.ts';

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
  const { repository, options } = context;
  const pace = new Pace(options.signal);
  for (const id of wants) {
    if (pace.isDue()) await pace.rest();
    if (!reader.has(id)) throw notOurRef(id);
  }
  if (options.wantPolicy === 'any') return;

  const { hiddenRefs, limits, signal } = options;
  if (advertised === undefined && (await areTips(context, wants))) return;
  const tips =
    advertised ??
    new Set(
      (await readShownRefs(repository.refs, reader, { hiddenRefs, peel: false, signal })).map(({ id }) => id),
    );
  const others = wants.filter((id) => !tips.has(id));
  if (others.length === 0) return;
  // The client chose from an advertisement of another time: what was a tip then may be history now.
  const mayBeOlder = advertised === undefined;
  if (options.wantPolicy === 'advertised' && !mayBeOlder) throw notOurRef(others[0] as ObjectId);

  const shallow = await repository.shallowCommits();
  const [refused] = await unreachableOf(reader, others, [...tips], { shallow, limits, signal });
  if (refused !== undefined) throw notOurRef(refused);
}

/** What nearly every fetch wants: tips as they are now, found without reading all of them. */
async function areTips({ repository, options }: FetchContext, wants: readonly ObjectId[]): Promise<boolean> {
  const shown = await warmShownRefs(repository, options.hiddenRefs, undefined, options);
  if (shown === undefined) return false;
  const pace = new Pace(options.signal);
  for (const id of wants) {
    if (pace.isDue()) await pace.rest();
    if (!(await shown.isTip(id))) return false;
  }
  return true;
}

function notOurRef(id: ObjectId): GitError {
  return new GitError('NOT_OUR_REF', `upload-pack: not our ref ${id}`, { id });
}
