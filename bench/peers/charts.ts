/**
 * The charts of a report: for each kind of work a panel, for each peer a row, for each input a mark on a
 * logarithmic axis.
 *
 * @module
 */
import { REFERENCE, US } from './all.ts';
import { WORKS, type Work } from './compare.ts';
import {
  type Axis,
  drawPanel,
  logAxis,
  MARK_CLASSES,
  type Mark,
  markShape,
  type PanelRow,
} from './dot-panel.ts';
import { type Figure, figureOf, outcomesOf, type Report } from './report.ts';
import { escapeText, PALETTE_CSS } from './style.ts';

export const WORK_TITLES: Readonly<Record<Work, string>> = {
  ingest: 'Ingest a pack',
  clone: 'Serve a full clone',
  fetch: 'Serve a small fetch',
};

interface Metric {
  readonly title: string;
  readonly of: (figure: Figure) => number | undefined;
  readonly format: (value: number) => string;
  readonly tick: (value: number) => string;
  /** Drawn as a strong line. */
  readonly level?: number | undefined;
  /** The reference needs no row: it is the line. */
  readonly withReference: boolean;
}

const MIB = 1024 * 1024;
const LABELS = 150;
const PANEL = 245;
const MARGIN = 14;
const HEAD = 92;

const WALL: Metric = {
  title: `Wall time, as a multiple of ${REFERENCE}’s (left is faster)`,
  of: (figure) => figure.ratio,
  format: formatRatio,
  tick: (value) => (value < 1 ? `1/${Math.round(1 / value)}` : String(value)),
  level: 1,
  withReference: false,
};

const MEMORY: Metric = {
  title: 'Peak resident memory, MiB (left is smaller)',
  of: (figure) => figure.median.peakBytes / MIB,
  format: (value) => value.toFixed(0),
  tick: String,
  withReference: true,
};

/** For the README: all panels beside each other. */
export const wallChart = (report: Report): string => drawChart(report, WALL);
export const memoryChart = (report: Report): string => drawChart(report, MEMORY);

/** For the page: each panel on its own, so that a narrow screen can put them below each other. */
export function wallPanels(report: Report): readonly string[] {
  return drawPanels(report, WALL);
}
export function memoryPanels(report: Report): readonly string[] {
  return drawPanels(report, MEMORY);
}

export function formatRatio(ratio: number): string {
  return ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2);
}

/** Marks and names of the inputs, as HTML. */
export function legend(report: Report): string {
  const items = report.inputs.map(
    ({ name }, i) =>
      `<li><svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">${markShape(i, 7, 7)}</svg>${escapeText(name)}</li>`,
  );
  return `<ul class="legend">${items.join('')}</ul>`;
}

/** Packwire with other options, measured only where they matter. */
export function isVariant(peer: string): boolean {
  return peer.startsWith(`${US}, `);
}

function drawChart(report: Report, metric: Metric): string {
  const works = worksOf(report);
  const width = LABELS + works.length * PANEL + MARGIN;
  const panels = works.map((work) => {
    const rows = rowsOf(report, work, metric);
    return { work, rows, axis: axisOf(rows, metric) };
  });
  const drawn = panels.map(({ work, rows, axis }, i) =>
    drawPanel({
      title: WORK_TITLES[work],
      rows,
      axis,
      left: LABELS + i * PANEL,
      top: HEAD,
      width: PANEL,
      labelsLeft: i === 0 ? MARGIN : undefined,
    }),
  );
  const height = HEAD + Math.max(...drawn.map((panel) => panel.height)) + MARGIN;
  let x = MARGIN;
  const marks = report.inputs.map(({ name }, i) => {
    const at = x;
    x += 30 + name.length * 7;
    return `${markShape(i, at + 6, 48)}<text x="${at + 16}" y="52">${escapeText(name)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(metric.title)}">`,
    `<style>${PALETTE_CSS}</style>`,
    `<rect class="paper" width="${width}" height="${height}" rx="8"/>`,
    `<text class="title" x="${MARGIN}" y="26">${escapeText(metric.title)}</text>`,
    ...marks,
    ...drawn.map((panel) => panel.svg),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanels(report: Report, metric: Metric): readonly string[] {
  const [labels, width] = [136, 404];
  return worksOf(report).map((work) => {
    const rows = rowsOf(report, work, metric);
    const { svg, height } = drawPanel({
      title: WORK_TITLES[work],
      rows,
      axis: axisOf(rows, metric),
      left: labels,
      top: 24,
      width: width - labels,
      labelsLeft: 0,
    });
    return `<svg viewBox="0 0 ${width} ${height + 28}" role="img" aria-label="${escapeText(`${WORK_TITLES[work]}: ${metric.title}`)}">${svg}</svg>`;
  });
}

function worksOf(report: Report): readonly Work[] {
  return WORKS.filter((work) => outcomesOf(report, work).length > 0);
}

function axisOf(rows: readonly PanelRow[], metric: Metric): Axis {
  const values = rows.flatMap((row) => row.marks.map((mark) => mark.value));
  return logAxis(values, metric.level, metric.tick);
}

function rowsOf(report: Report, work: Work, metric: Metric): PanelRow[] {
  const names = report.peers
    .filter((peer) => peer.version !== undefined && (metric.withReference || peer.name !== REFERENCE))
    .map((peer) => peer.name);
  return names.map((peer) => {
    const outcomes = outcomesOf(report, work).filter((outcome) => outcome.peer === peer);
    const marks: Mark[] = outcomes.flatMap((outcome) => {
      const figure = figureOf(report, outcome, REFERENCE);
      const value = figure === undefined ? undefined : metric.of(figure);
      if (value === undefined) return [];
      const series = report.inputs.findIndex((input) => input.name === outcome.input);
      return { series: series % MARK_CLASSES, value };
    });
    const bad = outcomes.filter(({ status }) => status === 'failed' || status === 'time limit').length;
    const values = marks.map((mark) => mark.value);
    const [least, most] = [Math.min(...values), Math.max(...values)].map(metric.format);
    let note = '';
    if (values.length > 0) note = least === most ? (least as string) : `${least}–${most}`;
    else if (bad === 0 && !isVariant(peer)) note = 'not offered';
    if (bad > 0) note = `${note === '' ? '' : `${note}, `}${bad} failed`;
    return { label: peer, strong: peer.startsWith(US), marks, note };
  });
}
