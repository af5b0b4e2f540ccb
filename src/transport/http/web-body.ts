/**
 * Bodies of web-standard requests and responses as byte streams.
 *
 * @module
 */
import { type ByteStream, streamOf } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';

/**
 * The chunks of a request's body; none when it has none. Ending early cancels the body.
 *
 * @throws {GitError} ABORTED when the client goes away
 */
export function bodyChunks(body: ReadableStream<Uint8Array> | null): ByteStream {
  return body === null ? streamOf() : readChunks(body);
}

async function* readChunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  const reader = body.getReader();
  let ended = false;
  try {
    for (;;) {
      const step = await reader.read();
      if (step.done) break;
      yield step.value;
    }
    ended = true;
  } catch (error) {
    ended = true;
    throw new GitError(
      'ABORTED',
      'Stopped: the client went away (stopped sending before the end)',
      {},
      error,
    );
  } finally {
    if (!ended) await reader.cancel();
  }
}

/**
 * `chunks` as the body of a response, read only as fast as the client takes it.
 *
 * @param onCancel called first when the client goes away, so that work in progress can be stopped
 */
export function streamBody(
  chunks: ByteStream,
  onCancel: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream(
    {
      async pull(controller) {
        const step = await iterator.next();
        if (step.done) controller.close();
        else controller.enqueue(step.value as Uint8Array<ArrayBuffer>);
      },
      async cancel() {
        onCancel();
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 }, // nothing is made before it is asked for
  );
}
