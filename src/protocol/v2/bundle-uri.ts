/**
 * The command `bundle-uri`: where a client may first get bundles from, as the repository's `bundle.*` keys say.
 * Spec: gitprotocol-v2(5), "bundle-uri"; git's technical/bundle-uri.
 *
 * @module
 */
import { type FetchContext, violation } from '../fetch-context.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { PacketReader } from '../packet-reader.ts';
import { readLines } from '../request-lines.ts';

/** A line is `key=value`: a value that would not fit a packet, or end the line early, is not sent. */
const MAX_LINE_CHARACTERS = 16_000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

/** @param packets the arguments, of which there must be none; `undefined` when the request had none */
export async function* bundleUriCommand(
  { repository, options }: FetchContext,
  packets: PacketReader | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  const refuse = (line: string): void => {
    throw violation(`bundle-uri: unexpected argument: '${line}'`);
  };
  const end = packets === undefined ? 'flush' : await readLines(packets, refuse, options.signal);
  if (end !== 'flush') throw violation('bundle-uri: expected flush after arguments');

  const answer = new PacketBuffer();
  for (const { name, value = '' } of repository.config?.entries ?? []) {
    const line = `${name}=${value}`;
    if (!name.startsWith('bundle.') || value === '') continue;
    if (line.length > MAX_LINE_CHARACTERS || CONTROL.test(line)) continue;
    answer.line(line);
    if (answer.isFull) yield answer.take();
  }
  yield answer.flush().take();
}
