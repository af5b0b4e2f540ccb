/**
 * What ssh2 leaves to a client that means harm: replies without end, key exchanges without end, packets too small to
 * be worth anything.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { Connection, Session } from 'ssh2';

/** Bytes read from a client that does not take the replies to what it sent before. */
const MAX_UNANSWERED_BYTES = 16 * 1024;

/**
 * ssh2 answers every request, whether the last answers were taken or not, and keeps them: a client that only asks
 * could fill the memory. While one takes nothing, no more is read from it than this. Commands whose client is slow are
 * held back elsewhere; it sends little meanwhile, and what it sends is read once the socket is empty.
 */
export function holdBackUnread(socket: Socket): void {
  let unansweredBytes = 0;
  socket.on('data', (chunk: Uint8Array) => {
    if (!socket.writableNeedDrain) {
      unansweredBytes = 0;
      return;
    }
    unansweredBytes += chunk.length;
    if (unansweredBytes >= MAX_UNANSWERED_BYTES) socket.pause();
  });
  socket.on('drain', () => {
    unansweredBytes = 0;
    socket.resume();
  });
}

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
