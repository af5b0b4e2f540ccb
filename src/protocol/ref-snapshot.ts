/**
 * The refs of a repository at one moment, as they are shown to clients: without hidden refs, with what their tags point
 * at. A ref whose object is missing is shown: a client that wants it fails, and one that prunes does not lose its copy.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import type { ObjectId } from '../core/object-id.ts';
import { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import type { RefDatabase } from '../refs/ref-database.ts';
import { MAX_SYMBOLIC_DEPTH } from '../refs/ref-name.ts';
import { isHiddenRef } from './hidden-refs.ts';
import { TagPeeler } from './tag-peeler.ts';

export interface ShownRef {
  readonly name: string;
  readonly id: ObjectId;
  /** What a tag object finally points at; absent for any other object, and when it was not asked for. */
  readonly peeled?: ObjectId | undefined;
  /** The ref a symbolic ref finally leads to. */
  readonly symbolicTarget?: string | undefined;
}

export interface RefSnapshotOptions extends Cancellable {
  readonly hiddenRefs: readonly string[];
  /** Only refs whose name starts with one of these; all when there are none. */
  readonly prefixes?: readonly string[] | undefined;
  /** Fill in {@link ShownRef.peeled}. */
  readonly peel: boolean;
}

/** `HEAD` first, when it resolves; then all others in the order of their names. */
export async function readShownRefs(
  refs: RefDatabase,
  reader: ObjectReader,
  { hiddenRefs, prefixes, peel, signal }: RefSnapshotOptions,
): Promise<readonly ShownRef[]> {
  const listed = await refs.list(prefixes, { signal });
  const head = startsWithAny('HEAD', prefixes) ? await refs.resolve('HEAD', { signal }) : undefined;

  const peeler = new TagPeeler(reader);
  const shown: ShownRef[] = [];
  const pace = new Pace(signal);
  for (const ref of head === undefined ? listed : [head, ...listed]) {
    if (pace.isDue()) await pace.rest();
    if (isHiddenRef(ref.name, hiddenRefs)) continue;
    const peeled = peel ? (ref.peeled ?? peeler.peel(ref.id)) : undefined;
    const symbolicTarget =
      ref.symbolicTarget === undefined ? undefined : await finalTarget(refs, ref.symbolicTarget, { signal });
    shown.push({ name: ref.name, id: ref.id, peeled, symbolicTarget });
  }
  return shown;
}

/** The name at the end of a chain of symbolic refs that begins at `name`; it need not exist. */
export async function finalTarget(refs: RefDatabase, name: string, options: Cancellable): Promise<string> {
  let target = name;
  for (let depth = 0; depth < MAX_SYMBOLIC_DEPTH; depth++) {
    const stored = await refs.read(target, options);
    if (stored?.kind !== 'symbolic') break;
    target = stored.target;
  }
  return target;
}

/** @returns whether `prefixes` select `name`: no prefixes select everything */
export function startsWithAny(name: string, prefixes: readonly string[] | undefined): boolean {
  return (
    prefixes === undefined || prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix))
  );
}
