/**
 * Where the client's history is to end, and how it is told.
 * Spec: gitprotocol-pack(5), "shallow-update"; gitprotocol-v2(5), "shallow-info section".
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import type { SelectionRequest } from '../repository/select-objects.ts';
import { computeDepth, type DepthResult, INFINITE_DEPTH } from '../repository/shallow.ts';
import { resolveDeepenNot } from './deepen-not.ts';
import { type DepthRequest, isDeepening } from './depth-request.ts';
import { type FetchContext, violation } from './fetch-context.ts';
import type { PacketBuffer } from './packet-buffer.ts';

export interface ShallowDecision extends DepthResult {
  /** The client asked for another boundary: v0 answers such a request with the lines of this decision. */
  readonly isDeepened: boolean;
  /** Shallow history plays a part, at the client or here: v2 has a section then, if an empty one. */
  readonly isConcerned: boolean;
  /** What the walk has to know. */
  readonly selection: Pick<SelectionRequest, 'shallow' | 'clientShallow' | 'unshallow'>;
}

/** @throws {GitError} PROTOCOL_VIOLATION for shallow lines and refs that make no sense here; what the walk throws */
export async function decideShallow(
  context: FetchContext,
  reader: ObjectReader,
  wants: readonly ObjectId[],
  request: DepthRequest,
): Promise<ShallowDecision> {
  const clientShallow = knownCommits(reader, request.clientShallow);
  const repositoryShallow = await context.repository.shallowCommits();
  const isDeepened = isDeepening(request);
  const { shallow, unshallow } = await computeBoundary(
    context,
    reader,
    wants,
    request,
    clientShallow,
    repositoryShallow,
  );
  return {
    shallow,
    unshallow,
    isDeepened,
    isConcerned: isDeepened || clientShallow.size > 0 || repositoryShallow.size > 0,
    selection: { shallow: new Set([...shallow, ...repositoryShallow]), clientShallow, unshallow },
  };
}

/** `shallow` and `unshallow` lines, as both versions have them: without a newline. */
export function writeShallowLines(packets: PacketBuffer, { shallow, unshallow }: DepthResult): PacketBuffer {
  for (const id of shallow) packets.line(`shallow ${id}`);
  for (const id of unshallow) packets.line(`unshallow ${id}`);
  return packets;
}

/** A boundary of history that we do not have is none for us. */
function knownCommits(reader: ObjectReader, ids: ReadonlySet<ObjectId>): ReadonlySet<ObjectId> {
  const known = new Set<ObjectId>();
  for (const id of ids) {
    const kind = reader.readHeader(id)?.kind;
    if (kind === 'commit') known.add(id);
    else if (kind !== undefined) throw violation(`invalid shallow object ${id}`);
  }
  return known;
}

async function computeBoundary(
  context: FetchContext,
  reader: ObjectReader,
  wants: readonly ObjectId[],
  request: DepthRequest,
  clientShallow: ReadonlySet<ObjectId>,
  repositoryShallow: ReadonlySet<ObjectId>,
): Promise<DepthResult> {
  const { limits, signal } = context.options;
  const options = { deepenRelative: request.relative, repositoryShallow, limits, signal };
  if (request.depth > 0) {
    return computeDepth(reader, wants, { depth: request.depth }, clientShallow, options);
  }
  if (isDeepening(request)) {
    const not = await resolveDeepenNot(context, request.not);
    return computeDepth(reader, wants, { since: request.since, not }, clientShallow, options);
  }
  // A repository that is shallow itself says where its history ends; v0 did so in its advertisement.
  if (repositoryShallow.size > 0 && context.options.protocolVersion === 2) {
    return computeDepth(reader, wants, { depth: INFINITE_DEPTH }, clientShallow, options);
  }
  return { shallow: [], unshallow: [] };
}
