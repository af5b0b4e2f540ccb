/**
 * The body of a request as the service reads it: decompressed as it arrives, and bounded.
 * Spec: gitprotocol-http(5); RFC 9110, section 8.4 "Content-Encoding".
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';

/** How a body may be compressed: git compresses requests above 1 KiB with gzip. */
export type BodyEncoding = 'identity' | 'gzip' | 'deflate';

/** @returns `undefined` for an encoding that is not understood */
export function parseContentEncoding(header: string | null): BodyEncoding | undefined {
  switch ((header ?? '').trim().toLowerCase()) {
    case '':
    case 'identity':
      return 'identity';
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
      return 'deflate';
    default:
      return undefined;
  }
}

/**
 * `body` decompressed, chunk by chunk; memory use does not depend on how far it inflates.
 *
 * @throws {GitError} PROTOCOL_VIOLATION when it is not what `encoding` says, or ends too early
 */
export function decodeBody(body: ByteStream, encoding: BodyEncoding): ByteStream {
  return encoding === 'identity' ? body : decompress(body, encoding);
}

async function* decompress(
  body: ByteStream,
  encoding: 'gzip' | 'deflate',
): AsyncGenerator<Uint8Array, undefined> {
  const { readable, writable } = new DecompressionStream(encoding);
  const writer = writable.getWriter();
  const reader = readable.getReader();
  let bodyFailure: { readonly error: unknown } | undefined;

  const feed = async (): Promise<void> => {
    try {
      for await (const chunk of body) {
        await writer.ready;
        // A copy of a view into a larger buffer is not needed: the stream reads it before the next is asked for.
        await writer.write(chunk as Uint8Array<ArrayBuffer>);
      }
      await writer.close();
    } catch (error) {
      bodyFailure ??= { error };
      // Ends the reader's wait too. Its own failure would only repeat this one.
      await writer.abort(error).catch(() => undefined);
    }
  };
  const fed = feed();

  try {
    for (;;) {
      const step = await reader.read();
      if (step.done) break;
      yield step.value;
    }
    await fed;
  } catch (error) {
    throw decodingError(bodyFailure?.error ?? error, encoding);
  } finally {
    await reader.cancel().catch(() => undefined); // already failed, and reported, if it rejects
  }
}

/** A failure of the body itself keeps its own code; any other is the decompressor's. */
function decodingError(error: unknown, encoding: string): GitError {
  if (error instanceof GitError) return error;
  return new GitError(
    'PROTOCOL_VIOLATION',
    `Cannot read the request: its body is no complete ${encoding} stream`,
    {},
    error,
  );
}

/**
 * `body`, but never more than `limitBytes` of it.
 *
 * @throws {GitError} LIMIT_EXCEEDED with the chunk that goes beyond
 */
export async function* boundedBody(
  body: ByteStream,
  limitBytes: number,
): AsyncGenerator<Uint8Array, undefined> {
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) {
      throw new GitError(
        'LIMIT_EXCEEDED',
        `Cannot read the request: at most ${limitBytes} bytes are allowed`,
        { limitBytes },
      );
    }
    yield chunk;
  }
}

/**
 * `body`, which must not be empty: a client with nothing to ask sends a flush packet.
 *
 * @throws {GitError} PROTOCOL_VIOLATION at its end
 */
export async function* nonEmptyBody(body: ByteStream): AsyncGenerator<Uint8Array, undefined> {
  let isEmpty = true;
  for await (const chunk of body) {
    if (chunk.length === 0) continue;
    isEmpty = false;
    yield chunk;
  }
  if (isEmpty) throw new GitError('PROTOCOL_VIOLATION', 'Cannot read the request: its body is empty');
}
