/**
 * A service's output as the body of an answer: begun before the status is decided, and always cleaned up.
 *
 * @module
 */

/** Enough for a service that has nothing left to do to end through all its layers. */
const TURNS_TO_END = 32;
const ZERO = 48;

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
  /** Asked for by {@link whole} and not read yet. */
  #second: Promise<IteratorResult<Uint8Array>> | undefined;
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

  /**
   * Everything, if that is one chunk: to be sent with its length, in one write. A service that is done after it ends
   * without waiting for anything; one that goes on works on its second chunk meanwhile.
   *
   * @returns `undefined` when there may be more; then read on as if it had not been called
   */
  async whole(): Promise<Uint8Array | undefined> {
    const first = this.#first;
    if (first === undefined || first.done || !endsWithFlush(first.value)) return undefined;
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    this.#second = this.#output.next();
    this.#second.then(settle, settle);
    for (let turn = 0; turn < TURNS_TO_END && !isSettled; turn++) await Promise.resolve();
    if (!isSettled) return undefined;
    try {
      const second = await this.#second;
      if (!second.done) return undefined;
    } catch {
      return undefined; // next() throws it again, and says so
    }
    this.#first = undefined;
    await this.#finish();
    return first.value;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#first !== undefined) {
      const first = this.#first;
      this.#first = undefined;
      return first;
    }
    try {
      const begun = this.#second;
      this.#second = undefined;
      const step = await (begun ?? this.#output.next());
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

/** Answers of one chunk end with a flush packet; few other chunks do. */
function endsWithFlush(chunk: Uint8Array): boolean {
  const { length } = chunk;
  if (length < 4) return false;
  for (let i = length - 4; i < length; i++) if (chunk[i] !== ZERO) return false;
  return true;
}
