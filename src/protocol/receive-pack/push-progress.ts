/**
 * Which progress a pusher sees: what git's own receive-pack shows.
 *
 * @module
 */
import type { ProgressListener } from '../../core/byte-stream.ts';
import { progressText } from '../progress-text.ts';

/** git shows the connectivity check only when it takes longer than this. */
const PATIENCE_MS = 2000;

/** A listener that writes git's lines: what is done with the pack, not how it arrives, which the client knows. */
export function pushProgress(
  write: (text: string) => void,
  now: () => number = () => performance.now(),
): ProgressListener {
  const show = progressText(write, now);
  let checkingSince: number | undefined;
  return (progress) => {
    if (progress.title === 'Receiving objects') return;
    if (progress.title === 'Checking connectivity') {
      checkingSince ??= now();
      if (now() - checkingSince < PATIENCE_MS) return;
    }
    show(progress);
  };
}
