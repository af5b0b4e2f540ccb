/**
 * What receive-pack says first: every ref and what pushes may use.
 * Spec: gitprotocol-pack(5), "Reference Discovery"; gitprotocol-capabilities(5).
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { Repository } from '../../repository/repository.ts';
import { AGENT } from '../capabilities.ts';
import { isHiddenRef } from '../hidden-refs.ts';
import type { ShownRef } from '../ref-snapshot.ts';
import { sentInChunks, warmShownRefs } from '../shown-refs/warm-shown-refs.ts';
import { encodeRefAdvertisement, encodeShownAdvertisement } from '../v0/ref-advertisement.ts';

/** The name of what is here but no ref of this repository: a pusher need not send it. */
const HAVE = '.have';

export interface PushAdvertisementOptions extends Cancellable {
  readonly version: 0 | 1;
  readonly hiddenRefs: readonly string[];
  /** The same for refs of other namespaces, by their full names. */
  readonly hiddenElsewhere: readonly string[];
  readonly allowPushOptions: boolean;
  /** What a signed push is to sign; `undefined` when none is taken. */
  readonly certificateNonce?: string | undefined;
}

/**
 * Refs without `HEAD` and without what tags point at: a push has no use for either. The chunks may be views of what is
 * kept for others who ask the same: whoever is given one only reads it.
 */
export async function* advertiseForPush(
  repository: Repository,
  {
    version,
    hiddenRefs,
    hiddenElsewhere,
    allowPushOptions,
    certificateNonce,
    signal,
  }: PushAdvertisementOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const { format, config } = repository;
  const isSessionNamed = config?.getBoolean('transfer.advertiseSID') === true;
  const capabilities = [
    'report-status',
    'report-status-v2',
    'delete-refs',
    'side-band-64k',
    'quiet',
    ...(config?.getBoolean('receive.advertiseAtomic') === false ? [] : ['atomic']),
    ...(config?.getBoolean('repack.useDeltaBaseOffset') === false ? [] : ['ofs-delta']),
    ...(certificateNonce === undefined ? [] : [`push-cert=${certificateNonce}`]),
    ...(allowPushOptions ? ['push-options'] : []),
    ...(isSessionNamed ? [`session-id=${crypto.randomUUID()}`] : []),
    `object-format=${format.name}`,
    `agent=${AGENT}`,
  ];
  const others = (await repository.namespace?.otherRefs({ signal })) ?? [];
  const borrowed = [
    ...others.filter(({ name }) => !isHiddenRef(name, hiddenElsewhere)).map(({ id }) => id),
    ...((await repository.alternateTips?.({ signal })) ?? []),
  ];
  const shown =
    borrowed.length > 0 ? undefined : await warmShownRefs(repository, hiddenRefs, undefined, { signal });
  const frame = { format, capabilities, shallow: await repository.shallowCommits(), version };
  if (shown === undefined || shown.missing.length > 0 || shown.packed.missing.length > 0) {
    const refs = await shownRefs(repository, hiddenRefs, borrowed, signal);
    yield* encodeRefAdvertisement({ refs, ...frame });
    return;
  }
  const encode = (): Promise<Uint8Array> => encodeShownAdvertisement(shown, frame, false);
  // What nobody else will ask for is not kept.
  const isOnce = certificateNonce !== undefined || isSessionNamed;
  const key = ['push', version, ...capabilities, ...frame.shallow].join(' ');
  yield* sentInChunks(repository, isOnce ? await encode() : await shown.answer(key, encode));
}

/** One whose object is missing is among them: how else would a client delete it? */
async function shownRefs(
  { refs, objects }: Repository,
  hiddenRefs: readonly string[],
  borrowed: readonly ObjectId[],
  signal: AbortSignal | undefined,
): Promise<readonly ShownRef[]> {
  const listed = await refs.list(undefined, { signal });
  const own = listed
    .filter(({ name }) => !isHiddenRef(name, hiddenRefs))
    .map(({ name, id }) => ({ name, id }));
  if (borrowed.length === 0) return own;
  const seen = new Set(own.map(({ id }) => id));
  const reader = await objects.openReader({ signal });
  try {
    const others = [...new Set(borrowed)].filter((id) => !seen.has(id) && reader.has(id));
    return [...own, ...others.map((id) => ({ name: HAVE, id }))];
  } finally {
    reader.release();
  }
}
