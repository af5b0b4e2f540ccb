/**
 * Which part of a file a request is to be answered with.
 * Spec: RFC 9110, sections 13 "Conditional Requests" and 14 "Range Requests".
 *
 * @module
 */
import type { RequestHead } from './options.ts';

/** What validators say of a file, as it is now. */
export interface FileValidators {
  readonly sizeBytes: number;
  /** With its quotes. */
  readonly etag: string;
  /** As {@link httpDate} writes it. */
  readonly lastModified: string;
}

export type FileSelection =
  | { readonly status: 200; readonly from: 0; readonly to: number }
  /** The bytes at `[from, to)`; never none. */
  | { readonly status: 206; readonly from: number; readonly to: number }
  /** The client has it. */
  | { readonly status: 304 }
  /** The range begins at the end or behind it. */
  | { readonly status: 416 };

/** A date as HTTP writes it: whole seconds, in GMT. */
export function httpDate(milliseconds: number): string {
  return new Date(milliseconds).toUTCString();
}

/** Pure. Several ranges at once are answered with the whole file, as the specification allows. */
export function selectRange({ method, header }: RequestHead, file: FileValidators): FileSelection {
  if (isKnown(header('if-none-match'), header('if-modified-since'), file)) return { status: 304 };
  const whole = { status: 200, from: 0, to: file.sizeBytes } as const;
  const range = method === 'GET' ? /^bytes=(\d*)-(\d*)$/i.exec((header('range') ?? '').trim()) : null;
  if (range === null || !isCurrent(header('if-range'), file)) return whole;
  const [, first = '', last = ''] = range;
  return readRange(first, last, file.sizeBytes) ?? whole;
}

/** @returns `undefined` for what is no range and is passed over */
function readRange(first: string, last: string, sizeBytes: number): FileSelection | undefined {
  if (first === '') {
    if (last === '') return undefined;
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? { status: 416 } : { status: 206, from: sizeBytes - length, to: sizeBytes };
  }
  const from = Number(first);
  const to = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== '' && Number(last) < from) return undefined;
  return from >= sizeBytes ? { status: 416 } : { status: 206, from, to };
}

/** If-None-Match counts more than If-Modified-Since. */
function isKnown(noneMatch: string | null, modifiedSince: string | null, file: FileValidators): boolean {
  if (noneMatch !== null) {
    const tags = noneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return tags.includes('*') || tags.includes(file.etag);
  }
  if (modifiedSince === null) return false;
  return Date.parse(file.lastModified) <= Date.parse(modifiedSince); // never true of what is no date
}

/** Whether a part may be put together with what the client has already: only of exactly this file. */
function isCurrent(ifRange: string | null, { etag, lastModified }: FileValidators): boolean {
  return ifRange === null || ifRange.trim() === etag || ifRange.trim() === lastModified;
}
