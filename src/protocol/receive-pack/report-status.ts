/**
 * The answer to a push: whether the pack was stored, and what became of each ref.
 * Spec: gitprotocol-pack(5), "Report Status"; gitprotocol-capabilities(5), "report-status-v2".
 *
 * `report-status-v2` adds option lines for what was done in another way than was asked.
 *
 * @module
 */
import type { RefCommandResult, RefReport } from '../../repository/push/ref-command.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import { MAX_PAYLOAD_BYTES } from '../pkt-line.ts';

/**
 * The whole report, its flush included, in chunks of about 64 KiB.
 *
 * @param unpackStatus `ok`, or why the pack was not stored, on one line
 * @param withReports whether the client speaks version 2
 */
export function* formatReportStatus(
  unpackStatus: string,
  results: readonly RefCommandResult[],
  withReports = false,
): Generator<Uint8Array> {
  const packets = new PacketBuffer();
  packets.line(`unpack ${unpackStatus}\n`);
  for (const result of results) {
    const reports = withReports && result.ok ? (result.reports ?? []) : [];
    packets.line(formatResult(result));
    reports.forEach((report, index) => {
      if (index > 0) packets.line(formatResult(result));
      for (const option of optionsOf(report)) packets.line(`option ${option}\n`);
    });
    if (packets.isFull) yield packets.take();
  }
  packets.flush();
  yield packets.take();
}

function* optionsOf({ refName, oldId, newId, isForced }: RefReport): Generator<string, undefined> {
  if (refName !== undefined) yield `refname ${refName}`;
  if (oldId !== undefined) yield `old-oid ${oldId}`;
  if (newId !== undefined) yield `new-oid ${newId}`;
  if (isForced === true) yield 'forced-update';
}

const BYTES_PER_CHARACTER = 3; // the most that one UTF-16 unit takes in UTF-8

function formatResult(result: RefCommandResult): string {
  const { name } = result.command;
  if (result.ok) return `ok ${name}\n`;
  const line = `ng ${name} ${result.reason}\n`;
  if (line.length * BYTES_PER_CHARACTER <= MAX_PAYLOAD_BYTES) return line;
  return `ng ${name} rejected\n`; // a name that fitted its command fits here, but perhaps no long reason
}
