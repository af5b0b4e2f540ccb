/**
 * Names that a file system may take for `.git`, `.gitmodules` and their like though they are spelled otherwise.
 *
 * HFS+ folds case and ignores some code points; NTFS folds case, drops dots and spaces at the end, ends a name at a
 * colon (streams), and knows files by short names such as `GIT~1`. Names are checked for both everywhere, since nobody
 * knows where they will be checked out.
 *
 * @module
 */

/** Bits of what {@link specialNames} answers. */
export const DOT_GIT = 1;
export const DOT_GITMODULES = 2;
export const DOT_GITATTRIBUTES = 4;
export const DOT_GITIGNORE = 8;
export const DOT_MAILMAP = 16;

interface SpecialFile {
  readonly bit: number;
  /** Lower case, without its dot. */
  readonly name: string;
  /** Of the short name that NTFS makes when `name~1` to `name~4` are taken: six characters of hash. */
  readonly hashed: string;
}

const SPECIAL_FILES: readonly SpecialFile[] = [
  { bit: DOT_GITMODULES, name: 'gitmodules', hashed: 'gi7eba' },
  { bit: DOT_GITATTRIBUTES, name: 'gitattributes', hashed: 'gi7d29' },
  { bit: DOT_GITIGNORE, name: 'gitignore', hashed: 'gi250a' },
  { bit: DOT_MAILMAP, name: 'mailmap', hashed: 'maba30' },
];

const DOT = 46;
const SPACE = 32;
const SLASH = 47;
const COLON = 58;
const BACKSLASH = 92;
const TILDE = 126;
const ZERO = 48;
const NINE = 57;

/** First bytes of names worth a look: a dot, `g`, `m`, and those of the code points that HFS+ ignores. */
const FIRST = new Uint8Array(256);
for (const byte of [DOT, 0x47, 0x67, 0x4d, 0x6d, 0xe2, 0xef]) FIRST[byte] = 1;

/** Which special files `bytes[start, end)` may become; 0 for nearly all names. */
export function specialNames(bytes: Uint8Array, start: number, end: number): number {
  return FIRST[bytes[start] as number] === 1 ? hfsNames(bytes, start, end) | ntfsNames(bytes, start, end) : 0;
}

/** As {@link specialNames} for what follows a backslash, which NTFS takes for a directory's end. */
export function ntfsNames(bytes: Uint8Array, start: number, end: number): number {
  let names = isNtfsDotGit(bytes, start, end) ? DOT_GIT : 0;
  for (const file of SPECIAL_FILES) if (isNtfsFile(bytes, start, end, file)) names |= file.bit;
  return names;
}

function hfsNames(bytes: Uint8Array, start: number, end: number): number {
  const name = hfsName(bytes, start, end);
  if (!name.startsWith('.')) return 0;
  if (name === '.git') return DOT_GIT;
  for (const file of SPECIAL_FILES) if (name === `.${file.name}`) return file.bit;
  return 0;
}

/** Longest name that can still be special, in characters. */
const MOST_CHARACTERS = '.gitattributes'.length;

/** The name as HFS+ compares it, as far as it could be special: folded, without ignored code points. */
function hfsName(bytes: Uint8Array, start: number, end: number): string {
  let name = '';
  for (let at = start; at < end && name.length <= MOST_CHARACTERS; ) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      if (byte === SLASH) break;
      name += String.fromCharCode(lower(byte));
      at++;
    } else if (isIgnoredByHfs(byte, bytes[at + 1], bytes[at + 2]) && at + 3 <= end) at += 3;
    else return `${name}?`;
  }
  return name;
}

/** U+200C to U+200F, U+202A to U+202E, U+206A to U+206F and U+FEFF, in UTF-8. */
function isIgnoredByHfs(first: number, second = 0, third = 0): boolean {
  if (first === 0xef) return second === 0xbb && third === 0xbf;
  if (first !== 0xe2) return false;
  if (second === 0x80) return (third >= 0x8c && third <= 0x8f) || (third >= 0xaa && third <= 0xae);
  return second === 0x81 && third >= 0xaa && third <= 0xaf;
}

function isNtfsDotGit(bytes: Uint8Array, start: number, end: number): boolean {
  const isLong = startsWith(bytes, start, end, '.git');
  if (!isLong && !startsWith(bytes, start, end, 'git~1')) return false;
  return endsForNtfs(bytes, start + (isLong ? 4 : 5), end, true);
}

function isNtfsFile(bytes: Uint8Array, start: number, end: number, { name, hashed }: SpecialFile): boolean {
  if (bytes[start] === DOT && startsWith(bytes, start + 1, end, name)) {
    return endsForNtfs(bytes, start + 1 + name.length, end, false);
  }
  const digit = bytes[start + 7] as number;
  if (
    start + 8 <= end &&
    startsWith(bytes, start, end, name.slice(0, 6)) &&
    bytes[start + 6] === TILDE &&
    digit > ZERO &&
    digit <= ZERO + 4
  ) {
    return endsForNtfs(bytes, start + 8, end, false);
  }
  return isHashedShortName(bytes, start, end, hashed) && endsForNtfs(bytes, start + 8, end, false);
}

/** Eight characters: the beginning of `hashed`, a tilde, and a number that does not begin with 0. */
function isHashedShortName(bytes: Uint8Array, start: number, end: number, hashed: string): boolean {
  if (end - start < 8) return false;
  let at = 0;
  while (at < hashed.length && bytes[start + at] !== TILDE) {
    if (lower(bytes[start + at] as number) !== hashed.charCodeAt(at)) return false;
    at++;
  }
  if (bytes[start + at] !== TILDE || bytes[start + at + 1] === ZERO) return false;
  for (at++; at < 8; at++) {
    const byte = bytes[start + at] as number;
    if (byte < ZERO || byte > NINE) return false;
  }
  return true;
}

/** Dots and spaces, then the end of the name or a stream's. */
function endsForNtfs(bytes: Uint8Array, from: number, end: number, endsAtSlash: boolean): boolean {
  for (let at = from; at < end; at++) {
    const byte = bytes[at];
    if (byte === COLON || (endsAtSlash && (byte === BACKSLASH || byte === SLASH))) return true;
    if (byte !== DOT && byte !== SPACE) return false;
  }
  return true;
}

function startsWith(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start < word.length) return false;
  for (let i = 0; i < word.length; i++) {
    if (lower(bytes[start + i] as number) !== word.charCodeAt(i)) return false;
  }
  return true;
}

function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}
