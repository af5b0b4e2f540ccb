/**
 * Writes an Ed25519 private key the way OpenSSH keeps it. Other kinds have a form of their own that both OpenSSH and
 * ssh2 read; this one has only OpenSSH's.
 * Spec: PROTOCOL.key of OpenSSH; RFC 8709, section 4.
 *
 * @module
 */
import { concatBytes, encodeText, writeUint32 } from '../../core/bytes.ts';

const MAGIC = encodeText('openssh-key-v1\0');
const TYPE = encodeText('ssh-ed25519');
const NONE = encodeText('none');
const EMPTY = new Uint8Array(0);
/** The block size of the cipher `none`. */
const BLOCK = 8;

/**
 * The unarmoured bytes of a key file without a passphrase.
 *
 * @param publicKey the 32 bytes of the point, leading zeros and all
 * @param seed the 32 bytes of the private key
 * @param check any number: a reader compares its two copies to tell a wrong passphrase
 */
export function ed25519PrivateKey(publicKey: Uint8Array, seed: Uint8Array, check: number): Uint8Array {
  const number = uint32(check);
  const secret = concatBytes(
    number,
    number,
    string(TYPE),
    string(publicKey),
    string(concatBytes(seed, publicKey)),
    string(EMPTY), // the comment
  );
  const padding = Uint8Array.from({ length: -secret.length & (BLOCK - 1) }, (_, index) => index + 1);
  return concatBytes(
    MAGIC,
    string(NONE), // the cipher
    string(NONE), // what makes its key of a passphrase
    string(EMPTY),
    uint32(1), // keys
    string(concatBytes(string(TYPE), string(publicKey))),
    string(concatBytes(secret, padding)),
  );
}

function string(bytes: Uint8Array): Uint8Array {
  return concatBytes(uint32(bytes.length), bytes);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, value);
  return bytes;
}
