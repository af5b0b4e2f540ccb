/**
 * Sizes and times as operators write them.
 *
 * @module
 */

/** A whole number of bytes, or of 1024, 1024², 1024³ or 1024⁴ of them: `500`, `10k`, `2m`, `1g`, `4t`. */
export const SIZE_TEXT = /^(\d{1,16})([kmgtKMGT]?)$/;

/** A whole number of milliseconds, or with a unit: `500`, `500ms`, `30s`, `5m`, `2h`, `1d`. */
export const DURATION_TEXT = /^(\d{1,16})(ms|s|m|h|d)?$/;

const BYTES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };
const SECOND = 1000;
const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: 24 * 3600 * SECOND,
};

/** @returns bytes; `undefined` for text that is no {@link SIZE_TEXT}, or too large to be counted exactly */
export function parseSizeBytes(text: string): number | undefined {
  const [, digits, unit = ''] = SIZE_TEXT.exec(text) ?? [];
  return exact(digits, BYTES[unit.toLowerCase()]);
}

/** @returns milliseconds; `undefined` for text that is no {@link DURATION_TEXT} */
export function parseDurationMs(text: string): number | undefined {
  const [, digits, unit = 'ms'] = DURATION_TEXT.exec(text) ?? [];
  return exact(digits, MILLISECONDS[unit]);
}

function exact(digits: string | undefined, unit: number | undefined): number | undefined {
  if (digits === undefined || unit === undefined) return undefined;
  const amount = Number(digits) * unit;
  return Number.isSafeInteger(amount) ? amount : undefined;
}
