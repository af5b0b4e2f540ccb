/**
 * Writing all of some bytes: a disk that is nearly full takes a part of them without a word.
 *
 * @module
 */
import fs from 'node:fs';

/** At the file's position, blocking. @throws errors of the file system */
export function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += fs.writeSync(descriptor, bytes, done);
}
