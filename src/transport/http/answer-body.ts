/**
 * A service's output as the body of an answer: begun before the status is decided, and always cleaned up.
 *
 * @module
 */

/** Who answers for a body. */
export interface AnswerOwner {
  /** Called once: after the last chunk, a failure (of the first chunk too) or `return()`. */
  cleanUp(): Promise<void>;
  /** Told of a failure after the first chunk, which no status can say any more. */
  onLateError(error: unknown): void;
}

/**
 * Bytes of a service whose first chunk has been seen already, so that what fails before it is still a status.
 *
 * A plain iterator and no generator on purpose: a generator that was never started skips its `finally` when it is
 * told to return, and a carrier may drop a body without reading it (HEAD, a client that left).
 */
export class AnswerBody implements AsyncIterableIterator<Uint8Array> {
  readonly #output: AsyncGenerator<Uint8Array>;
  readonly #owner: AnswerOwner;
  #first: IteratorResult<Uint8Array> | undefined;
  #cleaned: Promise<void> | undefined;

  private constructor(
    first: IteratorResult<Uint8Array>,
    output: AsyncGenerator<Uint8Array>,
    owner: AnswerOwner,
  ) {
    this.#first = first;
    this.#output = output;
    this.#owner = owner;
  }

  /** Run `output` to its first chunk. @throws what it throws before that */
  static async begin(output: AsyncGenerator<Uint8Array>, owner: AnswerOwner): Promise<AnswerBody> {
    let first: IteratorResult<Uint8Array>;
    try {
      first = await output.next();
    } catch (error) {
      await owner.cleanUp();
      throw error;
    }
    const body = new AnswerBody(first, output, owner);
    if (first.done) await body.#finish();
    return body;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#first !== undefined) {
      const first = this.#first;
      this.#first = undefined;
      return first;
    }
    try {
      const step = await this.#output.next();
      if (step.done) await this.#finish();
      return step;
    } catch (error) {
      this.#owner.onLateError(error);
      await this.#finish();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#first = undefined;
    try {
      await this.#output.return(undefined);
    } finally {
      await this.#finish();
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(): Promise<void> {
    this.#cleaned ??= this.#owner.cleanUp();
    return this.#cleaned;
  }
}
