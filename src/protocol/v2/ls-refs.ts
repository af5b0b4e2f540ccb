/**
 * The command `ls-refs`.
 * Spec: gitprotocol-v2(5), "ls-refs".
 *
 * @module
 */
import { concatBytes } from '../../core/bytes.ts';
import { type FetchContext, violation } from '../fetch-context.ts';
import { isHiddenRef } from '../hidden-refs.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { PacketReader } from '../packet-reader.ts';
import { FLUSH_PACKET } from '../pkt-line.ts';
import { finalTarget, readShownRefs, startsWithAny } from '../ref-snapshot.ts';
import { readLines } from '../request-lines.ts';
import { appendRefLine, type LineStyle } from '../shown-refs/ref-line.ts';
import type { ShownRefs } from '../shown-refs/shown-refs.ts';
import { sentInChunks, warmShownRefs } from '../shown-refs/warm-shown-refs.ts';
import { LsRefsParser, type LsRefsRequest } from './parse-ls-refs.ts';

/**
 * The chunks may be views of what is kept for others who ask the same: whoever is given one only reads it.
 *
 * @param packets the arguments; `undefined` when the request had none
 */
export async function* lsRefsCommand(
  context: FetchContext,
  packets: PacketReader | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const { repository, options } = context;
  const parser = new LsRefsParser({ ...options.limits, servesUnborn: options.unborn !== 'ignore' });
  const end =
    packets === undefined ? 'flush' : await readLines(packets, (line) => parser.read(line), options.signal);
  if (end !== 'flush') throw violation('expected flush after ls-refs arguments');
  const request = parser.finish();

  const shown = await warmShownRefs(repository, options.hiddenRefs, request.prefixes, options);
  if (shown === undefined) yield* answerAfresh(context, request);
  else
    yield* sentInChunks(repository, await shown.answer(keyOf(request), () => encodeAnswer(shown, request)));
}

function keyOf({ peel, symrefs, unborn, prefixes }: LsRefsRequest): string {
  return `v2 ${peel} ${symrefs} ${unborn} ${prefixes.join('\n')}`;
}

async function encodeAnswer(shown: ShownRefs, request: LsRefsRequest): Promise<Uint8Array> {
  const style = styleOf(request);
  const head = new PacketBuffer();
  if (startsWithAny('HEAD', request.prefixes)) {
    if (shown.head !== undefined) appendRefLine(head, shown.head, style);
    else if (request.unborn && request.symrefs) appendUnborn(head, shown.unbornTarget);
  }
  return concatBytes(head.take(), ...(await shown.lines(request.prefixes, style)), FLUSH_PACKET);
}

function styleOf({ peel, symrefs }: LsRefsRequest): LineStyle {
  return { protocol: 'v2', peel, symrefs };
}

function appendUnborn(packets: PacketBuffer, target: string | undefined): void {
  if (target !== undefined) packets.line(`unborn HEAD symref-target:${target}\n`);
}

/** Refs read and sent as they come, for stores that cannot say whether they have changed. */
async function* answerAfresh(
  context: FetchContext,
  request: LsRefsRequest,
): AsyncGenerator<Uint8Array, undefined> {
  const { repository, options } = context;
  const { hiddenRefs, signal } = options;
  const { peel, prefixes } = request;
  const reader = await repository.objects.openReader({ signal });
  try {
    const refs = await readShownRefs(repository.refs, reader, { hiddenRefs, prefixes, peel, signal });
    const packets = new PacketBuffer();
    if (refs[0]?.name !== 'HEAD') appendUnborn(packets, await unbornTarget(context, request));
    for (const ref of refs) {
      appendRefLine(packets, ref, styleOf(request));
      if (packets.isFull) yield packets.take();
    }
    yield packets.flush().take();
  } finally {
    reader.release();
  }
}

/** The branch a symbolic HEAD leads to that has no commit yet, if the client asked for such things. */
async function unbornTarget(
  { repository, options }: FetchContext,
  { unborn, symrefs, prefixes }: LsRefsRequest,
): Promise<string | undefined> {
  if (!unborn || !symrefs || isHiddenRef('HEAD', options.hiddenRefs)) return undefined;
  if (!startsWithAny('HEAD', prefixes)) return undefined;
  const { signal } = options;
  const head = await repository.refs.read('HEAD', { signal });
  if (head?.kind !== 'symbolic' || (await repository.refs.resolve('HEAD', { signal })) !== undefined) {
    return undefined;
  }
  return finalTarget(repository.refs, head.target, { signal });
}
