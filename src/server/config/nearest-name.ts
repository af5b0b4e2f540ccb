/**
 * What somebody may have meant by a name that does not exist.
 *
 * @module
 */

/** Letters from which on the beginning of a name stands for it. */
const LEAST_BEGINNING = 3;

/** @returns the one of `known` that `name` is most likely a slip of, or the beginning; `undefined` when none is near */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = plain(name);
  let [nearest, least]: [string | undefined, number] = [undefined, slipsAllowed(wanted) + 1];
  let longer: string | undefined;
  for (const candidate of known) {
    const slips = slipsBetween(wanted, plain(candidate));
    if (slips < least) [nearest, least] = [candidate, slips];
    if (wanted.length >= LEAST_BEGINNING && plain(candidate).startsWith(wanted)) longer ??= candidate;
  }
  return nearest ?? longer;
}

/** A third of the letters, two at least. */
function slipsAllowed(name: string): number {
  return Math.max(2, Math.floor(name.length / 3));
}

/** `read_only`, `read-only` and `readonly` are all `readOnly`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}

/** Letters added, left out, replaced or swapped with the next one. */
function slipsBetween(a: string, b: string): number {
  let [beforeLast, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] && i > 1 && j > 1) {
        least = Math.min(least, beforeLast[j - 2]! + 1);
      }
      row.push(least);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] as number;
}
