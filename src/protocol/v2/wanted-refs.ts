/**
 * `want-ref`: refs wanted by name, and what they were found to hold.
 * Spec: gitprotocol-v2(5), "fetch", ref-in-want and "wanted-refs section".
 *
 * @module
 */
import type { ObjectId } from '../../core/object-id.ts';
import { isValidRefName } from '../../refs/ref-name.ts';
import { type FetchContext, violation } from '../fetch-context.ts';
import { isHiddenRef } from '../hidden-refs.ts';
import type { PacketBuffer } from '../packet-buffer.ts';

/**
 * What the refs hold now.
 *
 * @throws {GitError} PROTOCOL_VIOLATION, in git's words, for the first that is not there or not shown
 */
export async function readWantedRefs(
  { repository, options }: FetchContext,
  names: readonly string[],
): Promise<ReadonlyMap<string, ObjectId>> {
  const { hiddenRefs, signal } = options;
  const wanted = new Map<string, ObjectId>();
  for (const name of names) {
    const isShown = isRefName(name) && !isHiddenRef(name, hiddenRefs);
    const ref = isShown ? await repository.refs.resolve(name, { signal }) : undefined;
    if (ref === undefined) throw violation(`unknown ref ${name}`);
    wanted.set(name, ref.id);
  }
  return wanted;
}

/** The section, delimiter included. */
export function writeWantedRefs(packets: PacketBuffer, wanted: ReadonlyMap<string, ObjectId>): PacketBuffer {
  packets.line('wanted-refs\n');
  for (const [name, id] of wanted) packets.line(`${id} ${name}\n`);
  return packets.delimiter();
}

/** Of the names without a slash only HEAD is looked up: the client chose it, and it may be that of any file. */
function isRefName(name: string): boolean {
  return name === 'HEAD' || (name.startsWith('refs/') && isValidRefName(name));
}
