/**
 * A morning as a table.
 *
 * @module
 */
import type { Row } from './morning.ts';

const MIB = 1024 * 1024;
const WIDTHS = [18, 8, 9, 9, 8, 10, 9] as const;

export const TABLE_HEAD = cells(['scenario', 'held', 'worst', 'p99', 'asked', 'peak', 'open']);

/** One line of figures and one of words; a line for each thing that did not hold. */
export function formatRow({
  name,
  seconds,
  health,
  peakBytes,
  descriptors,
  figure,
  broken,
  skipped,
}: Row): string {
  if (skipped !== undefined) return `${cells([name, 'skipped'])}${skipped}`;
  const line = cells([
    name,
    broken.length === 0 ? 'yes' : 'NO',
    health === undefined ? '' : `${health.worstMs.toFixed(0)} ms`,
    health === undefined ? '' : `${health.p99Ms.toFixed(1)} ms`,
    health === undefined ? '' : `${health.answers}`,
    peakBytes === undefined ? '' : `${(peakBytes / MIB).toFixed(0)} MiB`,
    descriptors === undefined ? '' : descriptors.join('→'),
  ]);
  const words = `    ${seconds.toFixed(0)} s: ${figure}`;
  return [line.trimEnd(), words, ...broken.map((sentence) => `    ! ${sentence}`)].join('\n');
}

function cells(texts: readonly string[]): string {
  return texts.map((text, n) => text.padEnd((WIDTHS[n] as number) + 1)).join('');
}
