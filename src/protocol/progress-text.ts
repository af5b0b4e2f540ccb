/**
 * Progress as git prints it: `Counting objects:  45% (9/20)` again and again on one line of the user's
 * terminal, then `Counting objects: 100% (20/20), done.`
 *
 * @module
 */
import type { Progress, ProgressListener } from '../core/byte-stream.ts';

/** Milliseconds between two updates of one line: more often than a reader's eye is noise on the wire. */
const UPDATE_INTERVAL_MS = 100;

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/**
 * A listener that writes each report to `write`, at most ten times a second; the last of a phase always.
 * An update ends with `\r`, so that the next one overwrites it; the last ends with `, done.` and a newline.
 *
 * @param now milliseconds of any clock that only goes forward
 */
export function progressText(
  write: (text: string) => void,
  now: () => number = () => performance.now(),
): ProgressListener {
  let title = '';
  let startMs = 0;
  let writtenMs = 0;
  let counters = '';
  return (progress) => {
    const timeMs = now();
    if (progress.title !== title) {
      title = progress.title;
      startMs = timeMs;
      writtenMs = timeMs;
      counters = '';
    }
    if (!progress.finished && timeMs - writtenMs < UPDATE_INTERVAL_MS) return;
    const next = formatCounters(progress, timeMs - startMs);
    if (next === counters && !progress.finished) return;
    // Blanks wipe what is left of a longer line.
    const wipe = ' '.repeat(next.length < counters.length ? counters.length - next.length : 0);
    write(`${title}: ${next}${progress.finished ? `, done.${wipe}\n` : `${wipe}\r`}`);
    writtenMs = timeMs;
    counters = progress.finished ? '' : next;
    if (progress.finished) title = '';
  };
}

/** ` 45% (9/20)`, or the bare count while the total is unknown; with bytes, their number and their rate. */
function formatCounters({ done, total, bytes }: Progress, elapsedMs: number): string {
  const rate =
    bytes === undefined ? '' : `, ${formatBytes(bytes)} | ${formatBytes(rateOf(bytes, elapsedMs))}/s`;
  if (total === undefined || total === 0) return `${done}${rate}`;
  const percent = Math.floor((done * 100) / total);
  return `${String(percent).padStart(3)}% (${done}/${total})${rate}`;
}

function rateOf(bytes: number, elapsedMs: number): number {
  return Math.floor((bytes * 1000) / Math.max(1, elapsedMs));
}

/** As git's `strbuf_humanise_bytes`: `1.20 MiB`, `3.00 KiB`, `17 bytes`. */
export function formatBytes(bytes: number): string {
  if (bytes > GIB) return `${(bytes / GIB).toFixed(2)} GiB`;
  if (bytes > MIB) return `${(bytes / MIB).toFixed(2)} MiB`;
  if (bytes > KIB) return `${(bytes / KIB).toFixed(2)} KiB`;
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}
