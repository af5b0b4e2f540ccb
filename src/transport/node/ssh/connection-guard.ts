/**
 * What ssh2 leaves to a client that means harm: key exchanges without end, packets too small to be worth anything.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { Connection, Session } from 'ssh2';

/** Key exchanges that a connection may have whatever it carries. */
const FREE_REKEYS = 16;
/** And one more for so many bytes, sent and received, or so much time. OpenSSH's default is one for gigabytes. */
const BYTES_A_REKEY = 64 * 1024;
const MS_A_REKEY = 60_000;

/** A key exchange costs the server more than the client. @param tooMany told when there were more than anybody needs */
export function limitRekeys(connection: Connection, socket: Socket, tooMany: () => void): void {
  const began = performance.now();
  let count = 0;
  connection.on('rekey', () => {
    const bytes = socket.bytesRead + socket.bytesWritten;
    const earned = bytes / BYTES_A_REKEY + (performance.now() - began) / MS_A_REKEY;
    if (++count > FREE_REKEYS + earned) tooMany();
  });
}

/** Clients take 16 KiB and more. ssh2 makes as many packets of a chunk as it takes, and never ends with packets of 0. */
const MIN_PACKET_BYTES = 1024;

/** @returns whether packets for this session may be as large as any honest client's */
export function takesPackets(session: Session): boolean {
  const { _chanInfo: info } = session as unknown as {
    readonly _chanInfo: { readonly outgoing: { readonly packetSize: number } };
  };
  return info.outgoing.packetSize >= MIN_PACKET_BYTES;
}
