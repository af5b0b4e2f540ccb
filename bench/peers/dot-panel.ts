/**
 * A panel of rows with marks on a logarithmic axis, as a piece of SVG. Colours come from classes (`style.ts`).
 *
 * @module
 */
import { escapeText } from './style.ts';

export interface Mark {
  /** Which input it belongs to. */
  readonly series: number;
  readonly value: number;
}

export interface PanelRow {
  readonly label: string;
  readonly strong: boolean;
  readonly marks: readonly Mark[];
  /** At the right end of the row. */
  readonly note: string;
}

export interface Axis {
  /** Place of a value from 0 to 1. */
  readonly place: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly label: string; readonly strong: boolean }[];
}

export interface Panel {
  readonly title: string;
  readonly rows: readonly PanelRow[];
  readonly axis: Axis;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  /** Where row labels begin; none are written when absent. */
  readonly labelsLeft: number | undefined;
}

/** How many inputs can be told apart. */
export const MARK_CLASSES = 6;

const ROW = 24;
const NOTES = 92;
const MOST_TICKS = 5;

/** @param level a value that is always on the axis, and strong */
export function logAxis(
  values: readonly number[],
  level: number | undefined,
  label: (value: number) => string,
): Axis {
  const all = [...values, ...(level === undefined ? [] : [level])].map(Math.log2);
  const low = values.length === 0 ? 0 : Math.floor(Math.min(...all) - 0.15);
  const high = values.length === 0 ? 1 : Math.ceil(Math.max(...all) + 0.15);
  const step = Math.ceil((high - low + 1) / MOST_TICKS);
  const ticks = [];
  for (let power = Math.ceil(low / step) * step; power <= high; power += step) {
    const value = 2 ** power;
    ticks.push({ value, label: label(value), strong: value === level });
  }
  return { ticks, place: (value) => (Math.log2(value) - low) / (high - low) };
}

export function drawPanel(panel: Panel): { svg: string; height: number } {
  const { rows, axis, left, top, width, labelsLeft } = panel;
  const plot = width - NOTES - 16;
  const x = (value: number): number => left + 8 + axis.place(value) * plot;
  const bottom = top + rows.length * ROW;
  const svg = [
    `<text class="heading" x="${left + 8}" y="${top - 10}">${escapeText(panel.title)}</text>`,
    ...axis.ticks.map(
      ({ value, label, strong }) =>
        `<line class="${strong ? 'level' : 'grid'}" x1="${round(x(value))}" x2="${round(x(value))}" y1="${top}" y2="${bottom}"/>` +
        `<text class="small" x="${round(x(value))}" y="${bottom + 14}" text-anchor="middle">${label}</text>`,
    ),
    ...rows.map((row, i) => {
      const middle = top + i * ROW + ROW / 2;
      const label =
        labelsLeft === undefined
          ? ''
          : `<text class="${row.strong ? 'strong' : 'label'}" x="${labelsLeft}" y="${middle + 4}">${escapeText(row.label)}</text>`;
      const marks = row.marks.map((mark) => markShape(mark.series, round(x(mark.value)), middle)).join('');
      const note = `<text class="small" x="${left + width - 6}" y="${middle + 4}" text-anchor="end">${escapeText(row.note)}</text>`;
      const line = `<line class="grid" x1="${left + 8}" x2="${left + 8 + plot}" y1="${middle}" y2="${middle}"/>`;
      return label + line + marks + note;
    }),
  ].join('\n');
  return { svg, height: rows.length * ROW + 20 };
}

/** Shape and colour both tell the input, for those who see no colours. */
export function markShape(series: number, x: number, y: number): string {
  const kind = series % MARK_CLASSES;
  const path = [
    `<circle class="m0" cx="${x}" cy="${y}" r="5"/>`,
    `<rect class="m1" x="${x - 4.5}" y="${y - 4.5}" width="9" height="9"/>`,
    `<path class="m2" d="M${x} ${y - 6}l6 10.5h-12z"/>`,
    `<path class="m3" d="M${x} ${y - 6}l6 6-6 6-6-6z"/>`,
    `<path class="m4" d="M${x} ${y + 6}l6-10.5h-12z"/>`,
    `<path class="m5" d="M${x - 5} ${y - 2}h3v-3h4v3h3v4h-3v3h-4v-3h-3z"/>`,
  ];
  return path[kind] as string;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
