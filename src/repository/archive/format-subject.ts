/**
 * What `$Format:…$` may ask of an archived commit.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { decodeLatin1, encodeText } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { ResolvedRef } from '../../refs/ref-database.ts';
import type { Repository } from '../repository.ts';
import { peelObject } from '../tag.ts';
import { parseCommitText } from './commit-text.ts';
import type { FormatSubject } from './expand-format.ts';

export interface SubjectOptions extends Cancellable {
  readonly isHidden: (refName: string) => boolean;
}

/** git: FALLBACK_DEFAULT_ABBREV. */
const MIN_ABBREVIATION = 7;

/** @throws {GitError} OBJECT_MISSING; OBJECT_CORRUPT */
export async function formatSubject(
  repository: Repository,
  reader: ObjectReader,
  id: ObjectId,
  options: SubjectOptions,
): Promise<FormatSubject> {
  const object = reader.read(id);
  if (object === undefined) throw new GitError('OBJECT_MISSING', `cannot read '${id}'`, { id });
  const commit = parseCommitText(object.data);
  const shortest = shortestFor(reader);
  return {
    id,
    commit,
    abbreviate: (one) => abbreviate(reader, one, shortest),
    refNames: await refNamesOf(repository, reader, id, options),
  };
}

/** Digits that hardly ever are ambiguous among so many objects, as git counts them: half the bits, and one. */
function shortestFor(reader: ObjectReader): number {
  const count = reader.packs.reduce((sum, { index }) => sum + index.objectCount, 0);
  return Math.max(MIN_ABBREVIATION, Math.ceil((Math.floor(Math.log2(count + 1)) + 1) / 2));
}

function abbreviate(reader: ObjectReader, id: ObjectId, shortest: number): string {
  for (let digits = shortest; digits < id.length; digits++) {
    if (reader.idsWithPrefix(id.slice(0, digits), 2).length < 2) return id.slice(0, digits);
  }
  return id;
}

/** In git's order: HEAD, then the last name first. */
async function refNamesOf(
  { refs }: Repository,
  reader: ObjectReader,
  id: ObjectId,
  { isHidden, signal }: SubjectOptions,
): Promise<readonly string[]> {
  const holds = (ref: ResolvedRef): boolean =>
    ref.id === id || (ref.peeled ?? (isTag(reader, ref.id) ? peelObject(reader, ref.id).id : '')) === id;
  const names: string[] = [];
  const head = await refs.read('HEAD', { signal });
  const branch = head?.kind === 'symbolic' ? head.target : undefined;
  const resolved = await refs.resolve('HEAD', { signal });
  const isHead = resolved !== undefined && holds(resolved);
  if (isHead) names.push(branch === undefined ? 'HEAD' : `HEAD -> ${shortName(branch)}`);
  const listed = await refs.list(undefined, { signal });
  for (const ref of listed.toReversed()) {
    if (isHidden(ref.name) || (isHead && ref.name === branch) || !holds(ref)) continue;
    names.push(shortName(ref.name));
  }
  return names.map((name) => decodeLatin1(encodeText(name)));
}

function isTag(reader: ObjectReader, id: ObjectId): boolean {
  return reader.readHeader(id)?.kind === 'tag';
}

function shortName(name: string): string {
  if (name.startsWith('refs/tags/')) return `tag: ${name.slice('refs/tags/'.length)}`;
  return name.replace(/^refs\/(?:heads|remotes)\//, '');
}
