/**
 * A fetch asks for room: once it is known that a pack follows, before that is chosen.
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import type { Pass, WorkKind } from './admission.ts';
import { admitWork, isToldByCarrier } from './admit-work.ts';
import type { FetchContext } from './fetch-context.ts';
import type { Negotiation } from './negotiation.ts';

/**
 * @returns the pass, which the caller releases
 * @throws {GitError} as {@link admitWork}; `context.channel` then says how the client is told
 */
export async function admitFetch(
  context: FetchContext,
  reader: ObjectReader,
  wants: readonly ObjectId[],
  negotiation: Negotiation,
): Promise<Pass> {
  const { repository, options } = context;
  const { admit, mode, signal } = options;
  const kind = admit === undefined ? 'fetch' : kindOf(reader, wants, negotiation);
  try {
    return await admitWork(admit, { kind, repository }, signal);
  } catch (error) {
    if (isToldByCarrier(error, mode)) context.channel = { kind: 'carrier' };
    throw error;
  }
}

/** Not by what the client says it has: a have of nothing here would make a fetch of every clone. */
function kindOf(reader: ObjectReader, wants: readonly ObjectId[], { common }: Negotiation): WorkKind {
  if (common.length > 0) return 'fetch';
  const isHistory = wants.some((id) => {
    const kind = reader.readHeader(id)?.kind;
    return kind === 'commit' || kind === 'tag';
  });
  return isHistory ? 'clone' : 'fetch';
}
