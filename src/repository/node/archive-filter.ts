/**
 * Programs of the configuration that archives are sent through: `tar.<format>.command`.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { ByteStream } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';
import type { RunArchiveFilter } from '../archive/create-archive.ts';

/**
 * Run commands with the shell, as git does. What they write to standard error goes to that of this process.
 *
 * @param directory where they run
 */
export function runArchiveFilter(directory: string | undefined): RunArchiveFilter {
  return (command, input, { signal }) => filtered(command, input, directory, signal);
}

async function* filtered(
  command: string,
  input: ByteStream,
  directory: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: directory,
    stdio: ['pipe', 'pipe', 'inherit'],
    signal,
  });
  let failure: unknown;
  child.on('error', (error) => {
    failure ??= error;
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const fed = feed(input, child.stdin).catch((error: unknown) => {
    failure ??= error;
    child.kill();
  });
  try {
    for await (const chunk of child.stdout as Readable) yield chunk as Uint8Array;
    await fed;
    const [code] = await ended;
    if (failure instanceof GitError) throw failure;
    if (code !== 0) throw new GitError('STORAGE_FAILED', `'${command}' filter reported error`, {}, failure);
  } finally {
    child.kill();
  }
}

/** A program that ends without reading everything is no failure of ours: its exit code says what it is. */
async function feed(input: ByteStream, sink: Writable): Promise<void> {
  sink.on('error', () => undefined);
  for await (const chunk of input) {
    if (sink.destroyed) return;
    if (!sink.write(chunk)) await Promise.race([once(sink, 'drain'), once(sink, 'close')]);
  }
  sink.end();
}
