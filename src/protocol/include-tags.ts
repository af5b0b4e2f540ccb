/**
 * The tags that `include-tag` may add to a pack.
 * Spec: gitprotocol-capabilities(5), "include-tag".
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import type { SelectionRequest } from '../repository/select-objects.ts';
import type { FetchContext } from './fetch-context.ts';
import { readShownRefs } from './ref-snapshot.ts';
import { warmShownRefs } from './shown-refs/warm-shown-refs.ts';

const TAGS = 'refs/tags/';

/** Every annotated tag with a ref under `refs/tags/` that clients may see. */
export async function readIncludableTags(
  { repository, options }: FetchContext,
  reader: ObjectReader,
): Promise<NonNullable<SelectionRequest['includeTags']>> {
  const { hiddenRefs, signal } = options;
  const prefixes = [TAGS];
  const shown = await warmShownRefs(repository, hiddenRefs, prefixes, { signal });
  if (shown !== undefined) {
    const tags: { readonly tagId: ObjectId; readonly peeledId: ObjectId }[] = [];
    const isWhole = shown.missing.length === 0 && shown.packed.missing.length === 0;
    for (const { id, peeled } of shown.under(TAGS)) {
      if (peeled !== undefined && (isWhole || reader.has(id))) tags.push({ tagId: id, peeledId: peeled });
    }
    return tags;
  }
  const refs = await readShownRefs(repository.refs, reader, { hiddenRefs, prefixes, peel: true, signal });
  return refs.flatMap(({ id, peeled }) =>
    peeled === undefined || !reader.has(id) ? [] : [{ tagId: id, peeledId: peeled }],
  );
}
