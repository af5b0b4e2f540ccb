/**
 * What happens to the text of a file when it leaves the repository: line ends, and `$Id$`.
 * Spec: gitattributes(5), "text", "eol", "ident"; git-config(1), core.autocrlf, core.eol. Other encodings and filter
 * programs are not applied.
 *
 * @module
 */
import { decodeLatin1, encodeLatin1 } from '../../core/bytes.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { GitConfig } from '../git-config.ts';
import type { AttributeValue } from './attributes.ts';

export interface TextConversion {
  /** Lines are to end with CR LF: always, or only if the content looks like text with other line ends. */
  readonly lineEnds: 'crlf' | 'crlf-if-text' | undefined;
  readonly hasIdent: boolean;
  readonly hasFormats: boolean;
}

/** Line ends where attributes do not say which. */
export interface LineEndDefaults {
  /** Of files that are known to be text. */
  readonly textIsCrlf: boolean;
  /** Whether files of which nothing is known are looked at. */
  readonly convertsUnknown: boolean;
}

export function lineEndDefaults(config: GitConfig | undefined): LineEndDefaults {
  const auto = config?.get('core.autocrlf')?.toLowerCase();
  const isAuto = auto !== undefined && auto !== 'input' && config?.getBoolean('core.autocrlf') === true;
  const eol = config?.get('core.eol')?.toLowerCase();
  return { convertsUnknown: isAuto, textIsCrlf: isAuto || (auto !== 'input' && eol === 'crlf') };
}

/** @returns `undefined` when the content is to be left as it is */
export function conversionOf(
  values: ReadonlyMap<string, AttributeValue>,
  defaults: LineEndDefaults,
): TextConversion | undefined {
  const lineEnds = lineEndsOf(values, defaults);
  const hasIdent = values.get('ident') === true;
  const hasFormats = values.get('export-subst') === true;
  return lineEnds !== undefined || hasIdent || hasFormats ? { lineEnds, hasIdent, hasFormats } : undefined;
}

function lineEndsOf(
  values: ReadonlyMap<string, AttributeValue>,
  { textIsCrlf, convertsUnknown }: LineEndDefaults,
): TextConversion['lineEnds'] {
  const text = values.get('text') ?? values.get('crlf');
  const eol = values.get('eol');
  if (text === false) return undefined;
  if (text === 'auto') return eol === 'crlf' || (eol !== 'lf' && textIsCrlf) ? 'crlf-if-text' : undefined;
  if (eol === 'lf' || eol === 'crlf') return eol === 'crlf' ? 'crlf' : undefined;
  if (text === 'input') return undefined;
  if (text === true) return textIsCrlf ? 'crlf' : undefined;
  return convertsUnknown ? 'crlf-if-text' : undefined;
}

const CR = 13;
const LF = 10;

/** Apply line ends and ident; what formats stand for is filled in by others. */
export function convertText(content: Uint8Array, conversion: TextConversion, id: ObjectId): Uint8Array {
  const withIdent = conversion.hasIdent ? fillIdent(content, id) : content;
  const { lineEnds } = conversion;
  if (lineEnds === undefined) return withIdent;
  return withCrlf(withIdent, lineEnds === 'crlf-if-text');
}

function fillIdent(content: Uint8Array, id: ObjectId): Uint8Array {
  const text = decodeLatin1(content);
  if (!text.includes('$Id')) return content;
  // An expansion that holds spaces inside is another's, such as that of another version control: git keeps those.
  return encodeLatin1(text.replace(/\$Id(?:\$|: ?[^$\n ]* ?\$)/g, `$Id: ${id} $$`));
}

function withCrlf(content: Uint8Array, onlyText: boolean): Uint8Array {
  const loneLineFeeds = countLoneLineFeeds(content, onlyText);
  if (loneLineFeeds === 0) return content;
  const converted = new Uint8Array(content.length + loneLineFeeds);
  let at = 0;
  for (let i = 0; i < content.length; i++) {
    if (content[i] === LF && content[i - 1] !== CR) converted[at++] = CR;
    converted[at++] = content[i] as number;
  }
  return converted;
}

const NUL = 0;
const BACKSPACE = 8;
const TAB = 9;
const FORM_FEED = 12;
const END_OF_FILE = 26;
const ESCAPE = 27;
const DELETE = 127;

/** How many line feeds want a carriage return; 0, with `onlyText`, if there are other line ends or it looks binary. */
function countLoneLineFeeds(content: Uint8Array, onlyText: boolean): number {
  let lone = 0;
  let carriageReturns = 0;
  let printable = 0;
  let strange = 0;
  for (let i = 0; i < content.length; i++) {
    const byte = content[i] as number;
    if (byte === CR) carriageReturns++;
    else if (byte === LF) lone += content[i - 1] === CR ? 0 : 1;
    else if (byte === NUL && onlyText) return 0;
    else if (byte === BACKSPACE || byte === TAB || byte === FORM_FEED || byte === ESCAPE) printable++;
    else if (byte < 32 || byte === DELETE) strange++;
    else printable++;
  }
  if (!onlyText) return lone;
  if (content[content.length - 1] === END_OF_FILE) strange--;
  return carriageReturns > 0 || printable >> 7 < strange ? 0 : lone;
}
