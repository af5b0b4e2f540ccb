/**
 * Calls the application's hooks: waits no longer than the push lives, reads a throw as a no, and lets go of
 * readers a hook forgot.
 *
 * @module
 */
import { abortError, throwIfAborted } from '../../core/errors.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { HookAnswer, PushedObjects, Rejection } from './hooks.ts';
import { printable } from './ref-policy.ts';

/**
 * Ask one hook or authorizer.
 *
 * @param declined the reason when it gives none
 * @param onError told what it threw
 * @returns why not, on one line; `undefined` for yes
 * @throws {GitError} ABORTED as soon as `signal` fires, whatever the hook is doing
 */
export async function askHook(
  ask: () => HookAnswer | Rejection | undefined,
  declined: string,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<string | undefined> {
  throwIfAborted(signal);
  let answer: Awaited<HookAnswer>;
  try {
    answer = await untilAborted(Promise.resolve<Awaited<HookAnswer>>(ask()), signal);
  } catch (error) {
    throwIfAborted(signal);
    onError(error);
    return declined;
  }
  return answer === undefined ? undefined : reasonOf(answer, declined);
}

/** The reason on one line; `declined` when there is none. */
export function reasonOf(rejection: Rejection, declined: string): string {
  const reason = printable(rejection.reason ?? '').trim();
  return reason === '' ? declined : reason;
}

/** @throws {GitError} ABORTED when `signal` fires before `work` is done; `work` is left to itself then */
export function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(abortError(signal));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** The objects a hook may read, remembering the readers it opens so that {@link releaseAll} can close them. */
export class HookObjects implements PushedObjects {
  readonly #source: PushedObjects;
  readonly #readers: ObjectReader[] = [];

  constructor(source: PushedObjects) {
    this.#source = source;
  }

  get quarantinePath(): string | undefined {
    return this.#source.quarantinePath;
  }

  async openReader(options?: { readonly signal?: AbortSignal | undefined }): Promise<ObjectReader> {
    const reader = await this.#source.openReader(options);
    this.#readers.push(reader);
    return reader;
  }

  releaseAll(): void {
    for (const reader of this.#readers.splice(0)) reader.release();
  }
}
