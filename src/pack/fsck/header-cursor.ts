/**
 * Going through the header lines of a commit or tag, byte by byte and without making strings.
 *
 * @module
 */
const NEWLINE = 10;

export class HeaderCursor {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;

  over(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** The byte `ahead` of the cursor; -1 behind the end. */
  peek(ahead = 0): number {
    const at = this.at + ahead;
    return at < this.end ? (this.bytes[at] as number) : -1;
  }

  /** Step over `word` (ASCII). @returns whether it was there */
  skip(word: string): boolean {
    if (this.end - this.at < word.length) return false;
    for (let i = 0; i < word.length; i++) if (this.bytes[this.at + i] !== word.charCodeAt(i)) return false;
    this.at += word.length;
    return true;
  }

  /** Step over `digits` hexadecimal digits and a newline. @returns whether that is what was there */
  skipIdLine(digits: number): boolean {
    for (let i = 0; i < digits; i++) if (!isHexDigit(this.peek(i))) return false;
    if (this.peek(digits) !== NEWLINE) return false;
    this.at += digits + 1;
    return true;
  }

  /** Go to the start of the next line. @returns false, and goes to the end, when no newline follows */
  nextLine(): boolean {
    const newline = this.bytes.indexOf(NEWLINE, this.at);
    const isThere = newline >= 0 && newline < this.end;
    this.at = isThere ? newline + 1 : this.end;
    return isThere;
  }
}

/** git reads hexadecimal in both cases. */
function isHexDigit(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 102) || (byte >= 65 && byte <= 70);
}
