/**
 * Writing to a command's pipes.
 *
 * @module
 */
import type { Writable } from 'node:stream';
import type { GitError } from '../core/errors.ts';

/** Write `text` and wait until it has left, so that an exit right after cannot cut it off. */
export function writeText(sink: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** A line for standard error of something that is passed over, and where it is. */
export function formatWarning({ message, detail }: GitError): string {
  const place = typeof detail.path === 'string' ? ` (${detail.path})` : '';
  return `warning: ${message}${place}\n`;
}

const BATCH_CHARACTERS = 64 * 1024;

/** Write many small texts in few writes. */
export async function writeLines(sink: Writable, lines: Iterable<string>): Promise<void> {
  let batch = '';
  for (const line of lines) {
    batch += line;
    if (batch.length < BATCH_CHARACTERS) continue;
    await writeText(sink, batch);
    batch = '';
  }
  if (batch !== '') await writeText(sink, batch);
}
