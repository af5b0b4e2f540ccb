/**
 * The application behind a server, asked over HTTP: whose key is this, may this happen, this has happened.
 * Spec: docs/application-api.yaml.
 *
 * No answer is kept for later: what was allowed a moment ago may have been taken back.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cancellable } from '../../core/byte-stream.ts';
import { GitError, isGitError, throwIfAborted } from '../../core/errors.ts';
import { FairGate } from '../limits/fair-gate.ts';
import { checkSecret, parseApplicationUrl } from './application-address.ts';
import { ApplicationConnections, LateAnswer, type Posted } from './application-post.ts';

export interface ApplicationOptions {
  /** Questions go to paths below it: `https`, or `http` to this machine. */
  readonly url: string;
  /** Sent as a Bearer token, so that the application knows who asks. Printable ASCII. */
  readonly secret: string;
  /** Milliseconds for one answer. Default 5 s. */
  readonly timeoutMs?: number | undefined;
  /** How often a question without an answer is asked again. Every question may be asked twice. Default 2. */
  readonly retries?: number | undefined;
  /** Questions at a time. Default 64, of which one client address may have 16. */
  readonly maxRunning?: number | undefined;
  /** Let the secret, and those of users, cross a network in plain `http`. Default false. */
  readonly plainHttp?: boolean | undefined;
}

export type Question = 'authenticate' | 'authorize' | 'authorize-changes' | 'post-receive';

interface AskOptions extends Cancellable {
  /** Who causes the question: one that floods the application waits behind itself. */
  readonly party?: string | undefined;
}

/** How a question is repeated. */
interface Repetition extends Cancellable {
  readonly retries: number;
  /** Milliseconds before the first repetition; each takes twice as long, up to a minute. */
  readonly firstPauseMs: number;
}

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_RETRIES = 2;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 60_000;
const DEFAULT_MAX_RUNNING = 64;
/** How many may wait for each that is asked. */
const WAITING_PER_RUNNING = 16;
/** Longest answer read, in bytes. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Statuses of servers that are not there for a moment. */
const PASSING = new Set([429, 502, 503, 504]);

export class Application {
  readonly #url: URL;
  readonly #connections: ApplicationConnections;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #retries: number;
  readonly #gate: FairGate;

  /** @throws {GitError} INVALID_ARGUMENT for a URL or a secret that cannot be used, or that would not stay one */
  constructor(options: ApplicationOptions) {
    const { url, secret, timeoutMs, retries, maxRunning = DEFAULT_MAX_RUNNING, plainHttp = false } = options;
    this.#url = parseApplicationUrl(url, plainHttp);
    checkSecret(secret);
    this.#connections = new ApplicationConnections(this.#url);
    this.#headers = {
      authorization: `Bearer ${secret}`,
      'content-type': 'application/json',
      accept: 'application/json',
    };
    this.#timeoutMs = timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#retries = retries ?? DEFAULT_RETRIES;
    this.#gate = new FairGate('questions about access', {
      running: maxRunning,
      runningEach: Math.ceil(maxRunning / 4),
      waiting: maxRunning * WAITING_PER_RUNNING,
      waitMs: this.#timeoutMs,
    });
  }

  /**
   * @returns the JSON of a 200, `undefined` for 204
   * @throws {GitError} OVERLOADED when there is no answer, again and again, or too much is being asked; ACCESS_DENIED for
   * any other answer: what the application does not understand is not allowed; ABORTED
   */
  async ask(question: Question, body: unknown, { party = '', signal }: AskOptions = {}): Promise<unknown> {
    const pass = await this.#gate.enter({ party }, { signal });
    try {
      const repetition = { retries: this.#retries, firstPauseMs: FIRST_PAUSE_MS, signal };
      return await this.askPatiently(question, body, repetition);
    } finally {
      pass.release();
    }
  }

  /** As {@link ask} for whom nobody waits; the caller bounds how many it asks at a time. */
  async askPatiently(question: Question, body: unknown, repetition: Repetition): Promise<unknown> {
    const { retries, firstPauseMs, signal } = repetition;
    const text = JSON.stringify(body);
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#askOnce(question, text, signal);
      } catch (error) {
        if (!isGitError(error, 'OVERLOADED') || attempt >= retries) throw error;
        await pause(Math.min(firstPauseMs * 2 ** attempt, MAX_PAUSE_MS), signal);
      }
    }
  }

  async #askOnce(question: Question, body: string, signal: AbortSignal | undefined): Promise<unknown> {
    const options = {
      headers: this.#headers,
      timeoutMs: this.#timeoutMs,
      maxAnswerBytes: MAX_ANSWER_BYTES,
      signal,
    };
    try {
      return answerOf(question, await this.#connections.post(new URL(question, this.#url), body, options));
    } catch (error) {
      throwIfAborted(signal);
      if (isGitError(error)) throw error;
      const isLate = error instanceof LateAnswer;
      throw unanswered(question, isLate ? `nothing within ${this.#timeoutMs} ms` : 'no connection', error);
    }
  }
}

function answerOf(question: Question, { status, text }: Posted): unknown {
  if (PASSING.has(status)) throw unanswered(question, `status ${status}`);
  if (status === 204) return undefined;
  if (status !== 200) throw misunderstood(question, `status ${status}`);
  if (text === undefined) throw misunderstood(question, `more than ${MAX_ANSWER_BYTES} bytes`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw misunderstood(question, 'no JSON', error);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

function unanswered(question: Question, why: string, cause?: unknown): GitError {
  return new GitError(
    'OVERLOADED',
    'Cannot decide about access now: try again later',
    { question, why, retryAfterSeconds: 5 },
    cause,
  );
}

/** The application answered, but not with what was asked. @param why for the log */
export function misunderstood(question: Question, why: string, cause?: unknown): GitError {
  return new GitError('ACCESS_DENIED', 'Access denied', { question, why }, cause);
}
