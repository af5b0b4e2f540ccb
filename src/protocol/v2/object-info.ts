/**
 * The command `object-info`: what an object is, without the object.
 * Spec: gitprotocol-v2(5), "object-info".
 *
 * @module
 */
import { isObjectId, type ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import { checkCount, type FetchContext, violation } from '../fetch-context.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { PacketReader } from '../packet-reader.ts';
import { readLines } from '../request-lines.ts';
import { refusedOf } from '../want-policy.ts';

interface ObjectInfoRequest {
  readonly ids: readonly ObjectId[];
  /** Whether sizes are asked for; without, the answer tells only what is there. */
  readonly size: boolean;
}

/**
 * `size`, when it was asked for, then `<id> <size>` for each object, in the order asked; `<id> ` and nothing behind it for one that
 * is not here, or that this client may not want: it cannot tell the two apart.
 *
 * @param packets the arguments; `undefined` when the request had none
 */
export async function* objectInfoCommand(
  context: FetchContext,
  packets: PacketReader | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const { ids, size } = await readRequest(context, packets);
  const answer = new PacketBuffer();
  if (ids.length > 0) {
    if (size) answer.line('size');
    const { signal } = context.options;
    const reader = await context.repository.objects.openReader({ signal });
    try {
      const pace = new Pace(signal);
      const sizes = new Map<ObjectId, number>();
      for (const id of ids) {
        if (pace.isDue()) await pace.rest();
        const header = reader.readHeader(id);
        if (header !== undefined) sizes.set(id, header.sizeBytes);
      }
      for (const id of await refusedOf(context, reader, [...sizes.keys()])) sizes.delete(id);
      for (const id of ids) {
        const sizeBytes = sizes.get(id);
        if (sizeBytes === undefined) answer.line(`${id} `);
        else answer.line(size ? `${id} ${sizeBytes}` : id);
        if (answer.isFull) yield answer.take();
      }
    } finally {
      reader.release();
    }
  }
  yield answer.flush().take();
}

async function readRequest(
  { repository, options }: FetchContext,
  packets: PacketReader | undefined,
): Promise<ObjectInfoRequest> {
  const ids: ObjectId[] = [];
  let size = false;
  const read = (line: string): void => {
    if (line === 'size') {
      size = true;
    } else if (line.startsWith('oid ')) {
      const id = line.slice('oid '.length);
      if (!isObjectId(id, repository.format)) {
        throw violation(`object-info: protocol error, expected to get oid, not '${id}'`);
      }
      ids.push(id);
      checkCount(ids.length, options.limits.maxWants, 'objects');
    } else {
      throw violation(`object-info: unexpected line: '${line}'`);
    }
  };
  const end = packets === undefined ? 'flush' : await readLines(packets, read, options.signal);
  if (end !== 'flush') throw violation('object-info: expected flush after arguments');
  return { ids, size };
}
