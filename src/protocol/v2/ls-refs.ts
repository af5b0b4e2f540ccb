/**
 * The command `ls-refs`.
 * Spec: gitprotocol-v2(5), "ls-refs".
 *
 * @module
 */
import { type FetchContext, violation } from '../fetch-context.ts';
import { isHiddenRef } from '../hidden-refs.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { PacketReader } from '../packet-reader.ts';
import { finalTarget, readShownRefs } from '../ref-snapshot.ts';
import { readLines } from '../request-lines.ts';
import { LsRefsParser, type LsRefsRequest } from './parse-ls-refs.ts';

/** @param packets the arguments; `undefined` when the request had none */
export async function* lsRefsCommand(
  context: FetchContext,
  packets: PacketReader | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const { repository, options } = context;
  const parser = new LsRefsParser(options.limits);
  const end = packets === undefined ? 'flush' : await readLines(packets, (line) => parser.read(line));
  if (end !== 'flush') throw violation('expected flush after ls-refs arguments');
  const request = parser.finish();

  const reader = await repository.objects.openReader({ signal: options.signal });
  try {
    const { hiddenRefs, signal } = options;
    const { peel, prefixes } = request;
    const refs = await readShownRefs(repository.refs, reader, { hiddenRefs, prefixes, peel, signal });

    const packets = new PacketBuffer();
    if (refs[0]?.name !== 'HEAD') {
      const target = await unbornTarget(context, request);
      if (target !== undefined) packets.line(`unborn HEAD symref-target:${target}\n`);
    }
    for (const { id, name, symbolicTarget, peeled } of refs) {
      const symref =
        request.symrefs && symbolicTarget !== undefined ? ` symref-target:${symbolicTarget}` : '';
      packets.line(`${id} ${name}${symref}${peeled === undefined ? '' : ` peeled:${peeled}`}\n`);
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
  if (prefixes.length > 0 && !prefixes.some((prefix) => 'HEAD'.startsWith(prefix))) return undefined;
  const { signal } = options;
  const head = await repository.refs.read('HEAD', { signal });
  if (head?.kind !== 'symbolic' || (await repository.refs.resolve('HEAD', { signal })) !== undefined) {
    return undefined;
  }
  return finalTarget(repository.refs, head.target, { signal });
}
