/**
 * A bar chart as SVG: for each kind of work, git's bar and ours, with the ratio beside.
 *
 * @module
 */

export interface ChartRow {
  readonly label: string;
  readonly git: number;
  readonly packwire: number;
}

const BAR = 16;
const ROW = 56;
const LEFT = 230;
const WIDTH = 860;
const ROOM = WIDTH - LEFT - 190;

/** @param unit what the numbers count: `s`, `MB` */
export function barChart(title: string, unit: string, rows: readonly ChartRow[]): string {
  const most = Math.max(...rows.flatMap((row) => [row.git, row.packwire]));
  const height = 60 + rows.length * ROW;
  const bars = rows.map((row, i) => {
    const y = 52 + i * ROW;
    const ratio = row.git === 0 ? '' : `${(row.packwire / row.git).toFixed(2)} of git`;
    return [
      `<text x="${LEFT - 12}" y="${y + 22}" text-anchor="end">${row.label}</text>`,
      bar(y, row.git, most, unit, '#b8b3a7', ''),
      bar(y + BAR + 4, row.packwire, most, unit, '#2f6f4f', ratio),
    ].join('\n');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="14" fill="#222">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="16" y="28" font-size="17" font-weight="600">${title}</text>`,
    `<rect x="${WIDTH - 190}" y="16" width="12" height="12" fill="#b8b3a7"/><text x="${WIDTH - 172}" y="27">git</text>`,
    `<rect x="${WIDTH - 120}" y="16" width="12" height="12" fill="#2f6f4f"/><text x="${WIDTH - 102}" y="27">packwire</text>`,
    ...bars,
    '</svg>',
    '',
  ].join('\n');
}

function bar(y: number, value: number, most: number, unit: string, colour: string, note: string): string {
  const length = most === 0 ? 0 : Math.max(1, (value / most) * ROOM);
  const figure = `${value >= 100 ? value.toFixed(0) : value.toFixed(2)} ${unit}${note === '' ? '' : ` · ${note}`}`;
  return (
    `<rect x="${LEFT}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" fill="${colour}"/>` +
    `<text x="${(LEFT + length + 8).toFixed(1)}" y="${y + 13}" font-size="12">${figure}</text>`
  );
}
