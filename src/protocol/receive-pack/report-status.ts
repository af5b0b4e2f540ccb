/**
 * The answer to a push: whether the pack was stored, and what became of each ref.
 * Spec: gitprotocol-pack(5), "Report Status"; gitprotocol-capabilities(5), "report-status-v2".
 *
 * `report-status-v2` adds option lines for refs that the server changed in another way than was asked;
 * this server does what was asked or nothing, so that both versions are the same here.
 *
 * @module
 */
import type { RefCommandResult } from '../../repository/push/ref-command.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import { MAX_PAYLOAD_BYTES } from '../pkt-line.ts';

/**
 * The whole report, its flush included, in chunks of about 64 KiB.
 *
 * @param unpackStatus `ok`, or why the pack was not stored, on one line
 */
export function* formatReportStatus(
  unpackStatus: string,
  results: readonly RefCommandResult[],
): Generator<Uint8Array> {
  const packets = new PacketBuffer();
  packets.line(`unpack ${unpackStatus}\n`);
  for (const result of results) {
    packets.line(formatResult(result));
    if (packets.isFull) yield packets.take();
  }
  packets.flush();
  yield packets.take();
}

const BYTES_PER_CHARACTER = 3; // the most that one UTF-16 unit takes in UTF-8

function formatResult(result: RefCommandResult): string {
  const { name } = result.command;
  if (result.ok) return `ok ${name}\n`;
  const line = `ng ${name} ${result.reason}\n`;
  if (line.length * BYTES_PER_CHARACTER <= MAX_PAYLOAD_BYTES) return line;
  return `ng ${name} rejected\n`; // a name that fitted its command fits here, but perhaps no long reason
}
