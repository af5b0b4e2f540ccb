/**
 * Which names a ref may have.
 * Spec: git-check-ref-format(1).
 *
 * Names are text: the UTF-8 of what is stored and sent.
 *
 * @module
 */

/**
 * Longest ref name in bytes of UTF-8. git has no limit of its own; this is PATH_MAX of the systems it runs on,
 * so that one command of a push cannot carry megabytes into paths, logs and hooks.
 */
export const MAX_REF_NAME_BYTES = 4096;

export interface RefNameOptions {
  /** Accept a name without a slash, such as `HEAD`. Default false. */
  readonly allowOneLevel?: boolean | undefined;
  /** Accept one `*`, as in one side of a refspec. Default false. */
  readonly refspecPattern?: boolean | undefined;
}

const SLASH = 47;
const DOT = 46;
const AT = 64;
const OPENING_BRACE = 123;
const ASTERISK = 42;
const DELETE = 127;

/** 1 for each ASCII code that no ref name may hold: space and below, DEL, and `~ ^ : ? [ \`. */
const FORBIDDEN = new Uint8Array(128).map((_, code) =>
  code <= 32 || code === DELETE || '~^:?[\\'.includes(String.fromCharCode(code)) ? 1 : 0,
);

/** With the `u` flag a surrogate matches only where it is half of no pair: such text has no UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** @returns whether `name` obeys every rule of git-check-ref-format(1) */
export function isValidRefName(name: string, options: RefNameOptions = {}): boolean {
  const { length } = name;
  if (length === 0 || length > MAX_REF_NAME_BYTES || name === '@') return false;

  let asterisksLeft = options.refspecPattern === true ? 1 : 0;
  let levels = 1;
  let start = 0; // of the present component
  let previous = 0;
  let isAscii = true;
  for (let at = 0; at < length; at++) {
    const code = name.charCodeAt(at);
    if (code > DELETE) isAscii = false;
    else if (FORBIDDEN[code] === 1) return false;
    else if (code === SLASH) {
      if (!isValidComponent(name, start, at)) return false;
      levels++;
      start = at + 1;
    } else if (code === DOT && previous === DOT) return false;
    else if (code === OPENING_BRACE && previous === AT) return false;
    else if (code === ASTERISK && asterisksLeft-- === 0) return false;
    previous = code;
  }
  if (!isValidComponent(name, start, length) || previous === DOT) return false;
  if (levels === 1 && options.allowOneLevel !== true) return false;
  return isAscii || (!LONE_SURROGATE.test(name) && utf8Bytes(name) <= MAX_REF_NAME_BYTES);
}

function isValidComponent(name: string, start: number, end: number): boolean {
  if (end === start || name.charCodeAt(start) === DOT) return false;
  return !name.startsWith('.lock', Math.max(start, end - 5)) || end - start < 5;
}

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code >= 0xd800 && code <= 0xdfff ? 2 : 3;
  }
  return bytes;
}
