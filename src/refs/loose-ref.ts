/**
 * The content of a loose ref file: an id, or `ref: ` and the name of another ref.
 * Spec: gitrepository-layout(5), "refs", "HEAD".
 *
 * @module
 */
import { isObjectId, type ObjectFormat } from '../core/object-id.ts';
import type { RefTarget } from './ref-database.ts';
import { isStorableRefName } from './ref-name.ts';

const SYMBOLIC = /^ref:\s*/;

/**
 * Read a loose ref. What follows an id after white space is passed over, as in `FETCH_HEAD`.
 *
 * @returns `undefined` when `content` is no ref: truncated, garbage, all zeros, or a target that is no ref name
 */
export function parseLooseRef(content: string, format: ObjectFormat): RefTarget | undefined {
  const symbolic = SYMBOLIC.exec(content);
  if (symbolic !== null) {
    const target = content.slice(symbolic[0].length).trimEnd();
    return isStorableRefName(target) ? { kind: 'symbolic', target } : undefined;
  }
  const digits = format.idHexDigits;
  if (content.length > digits && !/\s/.test(content.charAt(digits))) return undefined;
  const id = content.slice(0, digits).toLowerCase();
  return isObjectId(id, format) && id !== format.zeroId ? { kind: 'direct', id } : undefined;
}

/** The content git would write for `target`. */
export function formatLooseRef(target: RefTarget): string {
  return target.kind === 'direct' ? `${target.id}\n` : `ref: ${target.target}\n`;
}
