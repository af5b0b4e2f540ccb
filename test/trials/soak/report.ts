/**
 * A soak in words and numbers.
 *
 * @module
 */
import type { SoakResult } from './run-soak.ts';

const MIB = 1024 * 1024;

export function formatSoak(result: SoakResult): string {
  const { seconds, health, loopDelay, memory, descriptors, residentBytes, broken } = result;
  const operations = Object.entries(result.operations).map(
    ([name, { done, turnedAway, failed, medianMs, p99Ms }]) =>
      `  ${name.padEnd(16)}${String(done).padStart(7)} done${String(turnedAway).padStart(6)} told to come later` +
      `${String(failed).padStart(5)} failed   median ${medianMs.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms`,
  );
  const count = Object.values(result.operations).reduce((sum, { done }) => sum + done, 0);
  return `${[
    `${(seconds / 60).toFixed(1)} minutes, ${count} operations done, ${result.cpuSeconds.toFixed(0)} s of the server's processor time`,
    ...operations,
    `health: ${health.answers} answers, p50 ${health.p50Ms.toFixed(1)}, p99 ${health.p99Ms.toFixed(1)}, worst ${health.worstMs.toFixed(1)} ms`,
    `event loop, worst of each second: median ${loopDelay.medianMs.toFixed(1)}, p99 ${loopDelay.p99Ms.toFixed(1)}, worst ${loopDelay.worstMs.toFixed(1)} ms`,
    `memory: ${mib(residentBytes.before)} before, peak ${mib(result.peakBytes)}, ${mib(residentBytes.after)} after; ` +
      `later half: ${mib(memory.mean)} in the mean, ${mib(memory.perHour)} an hour ± ${mib(memory.errorPerHour)}`,
    `descriptors: ${descriptors.before} before, ${descriptors.most} at most, ${descriptors.after} after`,
    ...broken.map((sentence) => `! ${sentence}`),
    broken.length === 0 ? 'all of it held' : `${broken.length} did not hold`,
  ].join('\n')}\n`;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
