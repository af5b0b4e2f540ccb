/**
 * What the codecs cost, each on its own: nanoseconds an item and megabytes a second.
 *
 *     npm run bench -- [--only=<group>[,<group>]] [--time=<ms a case>]
 *
 * @module
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { bitmapCases } from './codecs/bitmap.ts';
import type { Case } from './codecs/case.ts';
import { commitGraphCases } from './codecs/commit-graph.ts';
import { copyCases } from './codecs/copy.ts';
import { deltaCases } from './codecs/delta.ts';
import { entryHeaderCases } from './codecs/entry-header.ts';
import { idTableCases } from './codecs/id-table.ts';
import { idxCases } from './codecs/idx.ts';
import { packetCases } from './codecs/pkt-line.ts';
import { runtimeCases } from './codecs/runtime.ts';
import { sha1Cases } from './codecs/sha1.ts';
import { sideBandCases } from './codecs/side-band.ts';
import { treeCases } from './codecs/tree.ts';

const { values } = parseArgs({
  options: { only: { type: 'string' }, time: { type: 'string', default: '300' } },
});
const wanted = values.only?.split(',');
const cases: readonly Case[] = [
  ...packetCases(),
  ...sideBandCases(),
  ...entryHeaderCases(),
  ...deltaCases(),
  ...runtimeCases(),
  ...sha1Cases(),
  ...copyCases(),
  ...idTableCases(),
  ...idxCases(),
  ...treeCases(),
  ...bitmapCases(),
  ...commitGraphCases(),
].filter(({ group }) => wanted === undefined || wanted.includes(group));

if (cases.length === 0) {
  console.error(`No such group: ${values.only}`);
  process.exitCode = 1;
}
console.log(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}; medians\n`);
let group = '';
for (const benchmark of cases) {
  if (benchmark.group !== group) {
    group = benchmark.group;
    console.log(`${group}\n${''.padEnd(48)}   ns an item       MB/s    ±`);
  }
  console.log(await measure(benchmark, Number(values.time)));
}

async function measure({ name, items, bytes, run }: Case, timeMs: number): Promise<string> {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 3, throws: true });
  bench.add(name, run);
  await bench.run();
  const result = bench.tasks[0]?.result;
  if (result === undefined || !('latency' in result)) throw new Error(`${name} was not measured`);
  const { p50, rme } = result.latency;
  const nanoseconds = ((p50 * 1e6) / items).toFixed(p50 * 1e6 > 100 * items ? 0 : 1);
  const throughput = bytes === 0 ? '' : (bytes / 1e3 / p50).toFixed(0);
  return `  ${name.padEnd(46)} ${nanoseconds.padStart(12)} ${throughput.padStart(10)} ${rme.toFixed(0).padStart(3)}%`;
}
