/**
 * Which answers are being given now, or were a moment ago: identical requests share one.
 *
 * @module
 */
import type { ProgressListener } from '../../core/byte-stream.ts';
import { type MemoryBudget, warmMemory } from '../../core/memory-budget.ts';
import type { ObjectDatabase } from '../../odb/object-database.ts';
import type { Repository } from '../repository.ts';
import type { AnswerOptions, PackRequest } from './answer-key.ts';
import { KeptAnswers, readKept, reportAgain } from './kept-answers.ts';
import { choosePack } from './planned-pack.ts';
import { type AnswerSeat, SharedAnswer } from './shared-answer.ts';
import { SpoolUsage } from './spool.ts';

/** The plans of answers with fewer objects are not kept: those that are asked for again are kept whole. */
const KEPT_FROM_OBJECTS = 10_000;
/** How long an answer outlives those who took it: a storm's stragglers come within seconds. */
const KEPT_MS = 10_000;

export interface PackSharingOptions {
  /** Milliseconds for which a large answer is kept when nobody takes it any more. Default 10 s. */
  readonly keptMs?: number | undefined;
  /** Of answers of fewer objects no plan is kept; they are kept whole when they are asked for again. Default 10,000. */
  readonly keptFromObjects?: number | undefined;
  /** Counts what is kept so. Default: the process's own. */
  readonly memory?: MemoryBudget | undefined;
}

export class PackSharing {
  readonly #keptMs: number;
  readonly #keptFromObjects: number;
  readonly #memory: MemoryBudget;
  readonly #answers = new WeakMap<ObjectDatabase, Map<string, SharedAnswer>>();
  readonly #kept = new WeakMap<ObjectDatabase, KeptAnswers>();
  /** What is put aside in files. */
  readonly usage = new SpoolUsage();

  constructor(options: PackSharingOptions = {}) {
    const { keptMs = KEPT_MS, keptFromObjects = KEPT_FROM_OBJECTS, memory = warmMemory } = options;
    this.#keptMs = keptMs;
    this.#keptFromObjects = keptFromObjects;
    this.#memory = memory;
  }

  /**
   * A seat at the answer to the request that has this `answerKey`, which somebody else may have asked for before. The caller has made sure that its
   * client may have what it wants.
   *
   * Repositories are told apart by their object databases: one that is opened for each request shares nothing.
   */
  join(
    { objects, runtime, createSpool }: Repository,
    key: string,
    request: PackRequest,
    { limits, ofsDelta }: AnswerOptions,
    onProgress: ProgressListener | undefined,
  ): AnswerSeat {
    const kept = this.#keptOf(objects);
    const written = kept.find(key);
    if (written !== undefined) {
      reportAgain(written, onProgress);
      return {
        leftOut: async () => written.leftOut,
        pack: (reading) => readKept(written, reading),
        [Symbol.dispose]: () => undefined,
      };
    }
    let answers = this.#answers.get(objects);
    if (answers === undefined) {
      answers = new Map();
      this.#answers.set(objects, answers);
    }
    let answer = answers.get(key);
    if (answer === undefined) {
      const isKept = kept.noteAsked(key);
      answer = new SharedAnswer(
        (context) => choosePack({ objects, runtime }, request, { limits, ofsDelta }, context),
        {
          runtime,
          limits,
          ofsDelta,
          createSpool,
          usage: this.usage,
          keptMs: this.#keptMs,
          keptFromObjects: this.#keptFromObjects,
          memory: this.#memory,
          onWritten: isKept ? (pack) => kept.keep(key, pack) : undefined,
          onRetire: () => {
            if (answers.get(key) === answer) answers.delete(key);
          },
        },
      );
      answers.set(key, answer);
    }
    return answer.join(onProgress);
  }

  /** Let go of what is kept for a repository that is being closed. Answers that are taken now go on. */
  forget(objects: ObjectDatabase): void {
    for (const answer of [...(this.#answers.get(objects)?.values() ?? [])]) answer.close();
    this.#kept.get(objects)?.clear();
  }

  #keptOf(objects: ObjectDatabase): KeptAnswers {
    let kept = this.#kept.get(objects);
    if (kept === undefined) {
      kept = new KeptAnswers(this.#memory);
      this.#kept.set(objects, kept);
    }
    return kept;
  }
}

/** The process's own. */
export const packSharing = new PackSharing();
