/**
 * The report as one HTML page that needs nothing else: no script, no font, no image from anywhere.
 *
 * @module
 */
import { REFERENCE, US } from './all.ts';
import { formatRatio, isVariant, legend, memoryPanels, WORK_TITLES, wallPanels } from './charts.ts';
import { type Outcome, WORKS, type Work } from './compare.ts';
import { FETCH_COMMITS } from './input.ts';
import { type Figure, figureOf, outcomesOf, type PeerFacts, type Report } from './report.ts';
import { escapeText, PAGE_CSS, PALETTE_CSS } from './style.ts';

const MIB = 1024 * 1024;

const WORK_TEXTS: Readonly<Record<Work, string>> = {
  ingest:
    'A pack of the whole repository is read from a file given as standard input; a pack and its index are written ' +
    'into an empty bare repository. What was written is verified by git verify-pack.',
  clone:
    'Every ref is wanted, nothing is held; the answer is read from standard output, counted and thrown away. ' +
    'A first answer, not measured, is indexed by git and must hold every object. A server that is already running ' +
    'does not pay for its start: npm run bench:serve measures that.',
  fetch:
    `The tip of HEAD is wanted by a client that holds its ancestor ${FETCH_COMMITS} commits back along first parents. ` +
    'Mostly what it costs to start, for a program that is started for each request.',
};

export function reportPage(report: Report): string {
  const works = WORKS.filter((work) => outcomesOf(report, work).length > 0);
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="color-scheme" content="light dark"><title>packwire beside its peers</title>',
    `<style>${PALETTE_CSS}\n${PAGE_CSS}</style></head><body><main>`,
    '<h1>packwire beside its peers</h1>',
    `<p>The same work given to every git implementation at hand, in turns, on one machine, on ${escapeText(report.date)}. ` +
      `${report.runs === 1 ? 'One run' : `Medians of ${report.runs} runs`}; each includes starting the program. ` +
      `A ratio is wall time over that of ${REFERENCE} in the same rounds.</p>`,
    summary(report, works),
    '<h2>Wall time</h2>',
    `<p class="muted">As a multiple of ${REFERENCE}’s, which is the strong line. Further left is faster; the axis is logarithmic.</p>`,
    legend(report),
    `<div class="panels">${wallPanels(report).join('')}</div>`,
    '<h2>Peak resident memory</h2>',
    '<p class="muted">MiB, as the operating system counted; logarithmic.</p>',
    legend(report),
    `<div class="panels">${memoryPanels(report).join('')}</div>`,
    ...works.flatMap((work) => workSection(report, work)),
    ...peersSection(report),
    ...inputsSection(report),
    ...methodSection(report),
    '</main></body></html>',
    '',
  ].join('\n');
}

/** What a reader came for: packwire over the reference, in one table. */
function summary(report: Report, works: readonly Work[]): string {
  const ours = report.peers.filter(({ name, version }) => name.startsWith(US) && version !== undefined);
  const rows = ours.flatMap(({ name }) =>
    works.flatMap((work) =>
      report.inputs.flatMap(({ name: input }) => {
        const figure = figureFor(report, work, input, name);
        const beside = figureFor(report, work, input, REFERENCE);
        if (figure?.ratio === undefined || beside === undefined) return [];
        const cpu = figure.median.cpuSeconds / beside.median.cpuSeconds;
        const [peak, peakBeside] = [figure, beside].map((one) => (one.median.peakBytes / MIB).toFixed(0));
        const what = WORK_TITLES[work] + name.slice(US.length); // `packwire, …`
        const cells = [what, input, formatRatio(figure.ratio)];
        return {
          cells: [
            ...cells,
            Number.isFinite(cpu) ? formatRatio(cpu) : '–',
            peak as string,
            peakBeside as string,
          ],
        };
      }),
    ),
  );
  const head = ['work', 'input', 'wall', 'CPU', 'peak MiB', `${REFERENCE}’s`];
  return `<p>In short, packwire over ${REFERENCE}:</p>${table(head, rows, 2)}`;
}

function figureFor(report: Report, work: Work, input: string, peer: string): Figure | undefined {
  const outcome = outcomesOf(report, work, input).find((one) => one.peer === peer);
  return outcome === undefined ? undefined : figureOf(report, outcome, REFERENCE);
}

function workSection(report: Report, work: Work): string[] {
  return [
    `<h2>${WORK_TITLES[work]}</h2>`,
    `<p class="muted">${WORK_TEXTS[work]}</p>`,
    ...report.inputs.flatMap(({ name }) => {
      const outcomes = outcomesOf(report, work, name);
      return outcomes.length === 0
        ? []
        : [`<h3>${escapeText(name)}</h3>`, outcomeTable(report, work, outcomes)];
    }),
  ];
}

function outcomeTable(report: Report, work: Work, outcomes: readonly Outcome[]): string {
  const serving = work !== 'ingest';
  const head = [
    'peer',
    'wall s',
    'ratio',
    'CPU s',
    'peak MiB',
    ...(serving ? ['MB sent', 'objects'] : []),
    'spread',
  ];
  const rows = outcomes
    .filter((outcome) => outcome.status !== 'not offered')
    .map((outcome) => {
      const figure = figureOf(report, outcome, REFERENCE);
      const us = outcome.peer.startsWith(US);
      if (figure === undefined) {
        const why = outcome.status === 'time limit' ? 'gave up: ' : 'failed: ';
        return { cells: [outcome.peer], rest: why + (outcome.reason ?? ''), us };
      }
      const { median, ratio, spread } = figure;
      const sent = [(median.outputBytes / 1e6).toFixed(1), (outcome.objectsSent ?? 0).toLocaleString('en')];
      return {
        us,
        cells: [
          outcome.peer,
          seconds(median.wallSeconds),
          ratio === undefined ? '–' : formatRatio(ratio),
          seconds(median.cpuSeconds),
          (median.peakBytes / MIB).toFixed(0),
          ...(serving ? sent : []),
          report.runs === 1 ? '–' : `${(spread * 100).toFixed(0)} %`,
        ],
      };
    });
  const silent = outcomes
    .filter(({ status, peer }) => status === 'not offered' && !isVariant(peer))
    .map(({ peer }) => peer);
  const note =
    silent.length === 0
      ? ''
      : `<p class="muted"><small>Cannot do this: ${silent.map(escapeText).join(', ')}.</small></p>`;
  return table(head, rows, 1) + note;
}

function peersSection(report: Report): string[] {
  const rows = report.peers.map(({ name, language, version, note, install, missing }: PeerFacts) => ({
    us: name.startsWith(US),
    cells: [name, version ?? 'skipped', language, missing ?? note ?? '', install],
  }));
  return ['<h2>Peers</h2>', table(['peer', 'version', 'language', 'note', 'to have it'], rows, 5)];
}

function inputsSection(report: Report): string[] {
  const rows = report.inputs.map((input) => ({
    cells: [
      input.name,
      input.objects.toLocaleString('en'),
      input.commits.toLocaleString('en'),
      input.refs.toLocaleString('en'),
      (input.packBytes / 1e6).toFixed(1),
      String(input.packs),
      input.hasBitmap ? 'yes' : 'no',
      input.hasCommitGraph ? 'yes' : 'no',
      input.headCommit,
      input.origin,
    ],
  }));
  const head = [
    'input',
    'objects',
    'commits',
    'refs',
    'MB',
    'packs',
    'bitmap',
    'commit-graph',
    'HEAD',
    'origin',
  ];
  return [
    '<h2>Inputs</h2>',
    '<p class="muted">Objects and bytes of a pack of all that the refs reach; packs, bitmap and commit-graph as the ' +
      'repository stores them. Random numbers: only those of the generated repository, by the seed in its origin.</p>',
    table(head, rows, 1),
  ];
}

function methodSection(report: Report): string[] {
  const { machine } = report;
  const facts: [string, string][] = [
    [
      'machine',
      `${machine.cores} cores, ${machine.processor}, ${(machine.memoryBytes / 1024 ** 3).toFixed(0)} GiB`,
    ],
    ['system', `${machine.system}; Node ${machine.node}`],
    ['load before', `${machine.loadBefore} processes wanting a core in the minute before`],
    ['CPU, memory', `${report.usageSource}; memory is the largest of all runs, children included`],
    ['order', 'in rounds, each beginning with the next peer; one run before, checked and not measured'],
    ['spread', 'slowest run over fastest, less one'],
    ['time limit', `${report.timeLimitSeconds} s a run`],
  ];
  return [
    '<h2>How it was measured</h2>',
    `<dl>${facts.map(([term, text]) => `<dt>${term}</dt><dd>${escapeText(text)}</dd>`).join('')}</dl>`,
    '<p>To repeat, in a checkout of packwire, on a machine where nothing else runs:</p>',
    `<pre>npm ci\nnpm run bench:peers -- --install     # peers from npm; prints the lines for the others\nnpm run bench:peers -- --runs=${report.runs} &lt;repository&gt;...</pre>`,
    '<p>Without a repository one is generated, the same objects every time. Raw figures of every run: <code>report.json</code> beside this page.</p>',
  ];
}

interface TableRow {
  readonly cells: readonly string[];
  /** Text in place of all further cells. */
  readonly rest?: string;
  readonly us?: boolean | undefined;
}

/** @param texts columns, from the left, that hold words */
function table(head: readonly string[], rows: readonly TableRow[], texts: number): string {
  const align = (i: number): string => (i > 0 && i < texts ? ' class="text"' : '');
  const body = rows.map(({ cells, rest, us }) => {
    const plain = cells.map((cell, i) => `<td${align(i)}>${escapeText(cell)}</td>`).join('');
    const wide =
      rest === undefined
        ? ''
        : `<td class="off" colspan="${head.length - cells.length}">${escapeText(rest)}</td>`;
    return `<tr${us === true ? ' class="us"' : ''}>${plain}${wide}</tr>`;
  });
  return (
    `<div class="scroll"><table><thead><tr>${head.map((name, i) => `<th${align(i)}>${name}</th>`).join('')}</tr></thead>` +
    `<tbody>${body.join('')}</tbody></table></div>`
  );
}

function seconds(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
