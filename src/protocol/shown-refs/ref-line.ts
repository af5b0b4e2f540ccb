/**
 * One ref as clients are told of it, in either protocol.
 * Spec: gitprotocol-v2(5), "ls-refs"; gitprotocol-pack(5), "Reference Discovery".
 *
 * @module
 */
import type { PacketBuffer } from '../packet-buffer.ts';
import type { ShownRef } from '../ref-snapshot.ts';

/** Which words a line has. Two styles with the same members make the same lines. */
export interface LineStyle {
  /** `v0` is that of v1 too. */
  readonly protocol: 'v0' | 'v2';
  /** Say what tags point at. */
  readonly peel: boolean;
  /** Say where symbolic refs lead: v2 only, v0 says so among its capabilities. */
  readonly symrefs: boolean;
}

/**
 * Append the packet of `ref`, or in v0 the two of a tag.
 *
 * @param afterName in v0 what follows the name of the first ref: a NUL and the capabilities
 */
export function appendRefLine(
  packets: PacketBuffer,
  { id, name, symbolicTarget, peeled }: ShownRef,
  { protocol, peel, symrefs }: LineStyle,
  afterName = '',
): void {
  const tagged = peel ? peeled : undefined;
  if (protocol === 'v0') {
    packets.line(`${id} ${name}${afterName}\n`);
    if (tagged !== undefined) packets.line(`${tagged} ${name}^{}\n`);
    return;
  }
  const symref = symrefs && symbolicTarget !== undefined ? ` symref-target:${symbolicTarget}` : '';
  packets.line(`${id} ${name}${symref}${tagged === undefined ? '' : ` peeled:${tagged}`}\n`);
}
