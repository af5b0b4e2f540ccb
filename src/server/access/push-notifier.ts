/**
 * Tells the application what was pushed, once the refs have moved. No pusher waits for it.
 * Spec: docs/application-api.yaml, "/post-receive".
 *
 * Best effort: what waits is in memory. A notification comes at least once while this process lives and the application
 * comes back in time; it is lost with the process, and then the refs are what tells. Those of one repository come one
 * after another, in the order of the pushes.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { GitError } from '../../core/errors.ts';
import type { PushContext } from '../../repository/push/hooks.ts';
import { FairGate } from '../limits/fair-gate.ts';
import { admittedOf } from './admitted.ts';
import type { Application } from './application.ts';
import { questionOf } from './application-authorizer.ts';
import type { Admitted } from './http-access.ts';

export interface PushNotifierOptions {
  readonly application: Application;
  /** Told of each notification that was given up, with the name of the repository. */
  readonly onError: (error: unknown, repository: string) => void;
  /** How often one is repeated, 1 s, 2 s, 4 s, … apart, up to a minute. Default 8: some four minutes. */
  readonly retries?: number | undefined;
  /** Milliseconds before the first repetition. Default 1 s. */
  readonly firstPauseMs?: number | undefined;
  /** Refs of all pushes that wait together; beyond it notifications are given up. Default 100,000. */
  readonly maxWaitingChanges?: number | undefined;
}

const DEFAULT_RETRIES = 8;
const DEFAULT_FIRST_PAUSE_MS = 1_000;
const DEFAULT_MAX_WAITING_CHANGES = 100_000;
/** Notifications at a time, one a repository; how many may wait, and for how long. */
const RUNNING = 4;
const WAITING = 1_000;
const WAIT_MS = 600_000;

export class PushNotifier {
  readonly #application: Application;
  readonly #onError: PushNotifierOptions['onError'];
  readonly #repetition: { readonly retries: number; readonly firstPauseMs: number };
  readonly #maxWaitingChanges: number;
  readonly #gate = new FairGate('notifications', {
    running: RUNNING,
    runningEach: 1,
    waiting: WAITING,
    waitMs: WAIT_MS,
  });
  readonly #stopped = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #waitingChanges = 0;

  constructor(options: PushNotifierOptions) {
    const {
      application,
      onError,
      retries = DEFAULT_RETRIES,
      firstPauseMs = DEFAULT_FIRST_PAUSE_MS,
    } = options;
    this.#application = application;
    this.#onError = onError;
    this.#repetition = { retries, firstPauseMs };
    this.#maxWaitingChanges = options.maxWaitingChanges ?? DEFAULT_MAX_WAITING_CHANGES;
  }

  /** The `postReceive` hook: returns at once, and never throws. */
  notify(push: PushContext): void {
    const admitted = admittedOf(push.principal);
    if (admitted === undefined) {
      this.#onError(new GitError('INVALID_ARGUMENT', 'Cannot tell of a push: nobody was asked about it'), '');
      return;
    }
    const { repository } = admitted.request;
    const count = push.commands.length;
    if (this.#waitingChanges + count > this.#maxWaitingChanges) {
      this.#onError(this.#tooMany(count), repository);
      return;
    }
    this.#waitingChanges += count;
    const told = this.#tell(admitted, notificationOf(admitted, push))
      .catch((error: unknown) => this.#onError(error, repository))
      .finally(() => {
        this.#waitingChanges -= count;
        this.#underWay.delete(told);
      });
    this.#underWay.add(told);
  }

  /** Wait for what is under way, for at most `deadlineMs`, and give up the rest. */
  async drain(deadlineMs: number): Promise<void> {
    const timer = setTimeout(
      () => this.#stopped.abort(new GitError('ABORTED', 'Stopped: the server is shutting down')),
      deadlineMs,
    );
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    clearTimeout(timer);
  }

  async #tell({ request }: Admitted, notification: object): Promise<void> {
    const { signal } = this.#stopped;
    const pass = await this.#gate.enter({ party: request.repository }, { signal });
    try {
      await this.#application.askPatiently('post-receive', notification, { ...this.#repetition, signal });
    } finally {
      pass.release();
    }
  }

  #tooMany(count: number): GitError {
    return new GitError('LIMIT_EXCEEDED', 'Cannot tell of a push: too many wait to be told of', {
      count,
      waiting: this.#waitingChanges,
      limit: this.#maxWaitingChanges,
    });
  }
}

/** The same `id` each time it is sent, so that the application can tell a repetition. */
function notificationOf({ request }: Admitted, { commands, pushOptions, atomic }: PushContext): object {
  return {
    ...questionOf(request),
    id: randomUUID(),
    at: new Date().toISOString(),
    atomic,
    pushOptions,
    changes: commands.map(({ name, kind, oldId, newId }) => ({ name, kind, oldId, newId })),
  };
}
