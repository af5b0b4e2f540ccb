/**
 * Where the time of a run went: the functions of a .cpuprofile by the time spent in them alone.
 *
 *   node --cpu-prof --cpu-prof-dir=/tmp/profile dist/cli.js …
 *   node --import tsx bench/self-times.ts /tmp/profile/*.cpuprofile
 *
 * One table a file: the main thread and each worker have their own.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** As V8 writes it: one entry of `samples` every so often, naming the node that was running. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

const SHOWN = 25;

for (const path of process.argv.slice(2)) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(path, 'utf8')) as Profile;
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const place = url === '' ? '' : `  ${basename(url)}:${lineNumber + 1}`;
      return [id, (functionName || '(anonymous)') + place];
    }),
  );
  const times = new Map<string, number>();
  let total = 0;
  samples.forEach((id, i) => {
    const name = names.get(id) ?? '(unknown)';
    const microseconds = timeDeltas[i] ?? 0;
    times.set(name, (times.get(name) ?? 0) + microseconds);
    total += microseconds;
  });
  console.log(`${basename(path)}: ${(total / 1000).toFixed(0)} ms`);
  for (const [name, microseconds] of [...times].sort((a, b) => b[1] - a[1]).slice(0, SHOWN)) {
    const share = ((microseconds / total) * 100).toFixed(1);
    console.log(`${(microseconds / 1000).toFixed(0).padStart(8)} ms ${share.padStart(5)} %  ${name}`);
  }
}
