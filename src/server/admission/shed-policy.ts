/**
 * Which work a server in trouble refuses: the heaviest first, more while it lasts, and less once it is over.
 *
 * Pure: fed with one set of readings after the other, about a second apart.
 *
 * @module
 */
import type { AdmittedKind, ShedSettings } from './settings.ts';

/** What a server knows of itself. */
export interface Readings {
  /** Milliseconds an event waited for its turn, on average since the last reading. */
  readonly eventLoopDelayMs: number;
  /** Resident bytes of the process. */
  readonly memoryBytes: number;
  /** `unknown` where nobody looks; `unreadable` when the disk does not say. */
  readonly freeDiskBytes: number | 'unknown' | 'unreadable';
}

export type Trouble = 'event-loop' | 'memory' | 'disk';

/** Readings in trouble, one after the other, before more is refused: a collection of garbage is no trouble. */
const SAMPLES_TO_RISE = 3;
/** Calm ones before less is. */
const SAMPLES_TO_FALL = 5;
/** Up to here that doubles whenever trouble is back within as many samples: what is let in again is what overloads. */
const MOST_SAMPLES_TO_FALL = 60;
/** Share of a threshold below which it is calm. In between, everything stays as it is. */
const CALM = 0.8;
/** Share of the threshold by which free disk must be above it to be enough again. */
const DISK_MARGIN = 0.1;
/** Share of the threshold below which pushes that run end too. */
const DISK_RESERVE = 0.5;

/** What is refused at each level, besides what is at those before: the heaviest first. */
const HEAVIEST_FIRST: readonly (readonly AdmittedKind[])[] = [
  ['archive', 'clone', 'maintenance'],
  ['fetch'],
  ['push'],
];

export class ShedPolicy {
  #level = 0;
  #troubled = 0;
  #calm = 0;
  #samplesToFall = SAMPLES_TO_FALL;
  #samplesSinceFall = MOST_SAMPLES_TO_FALL;
  #isDiskFull = false;
  #isDiskSpent = false;
  #cause: Trouble = 'event-loop';

  /** Take one set of readings into account. */
  observe({ eventLoopDelayMs, memoryBytes, freeDiskBytes }: Readings, settings: ShedSettings): void {
    this.#observeDisk(freeDiskBytes, settings.freeDiskBytes);
    this.#samplesSinceFall++;
    const delay = shareOf(eventLoopDelayMs, settings.eventLoopDelayMs);
    const memory = shareOf(memoryBytes, settings.memoryBytes);
    const pressure = Math.max(delay, memory);
    this.#troubled = pressure >= 1 ? this.#troubled + 1 : 0;
    this.#calm = pressure < CALM ? this.#calm + 1 : 0;
    if (this.#troubled > 0) this.#cause = memory > delay ? 'memory' : 'event-loop';
    if (this.#troubled === SAMPLES_TO_RISE) this.#rise();
    if (this.#calm >= this.#samplesToFall) this.#fall();
    if (this.#level === 0 && this.#samplesSinceFall >= MOST_SAMPLES_TO_FALL)
      this.#samplesToFall = SAMPLES_TO_FALL;
  }

  /** @returns why work of `kind` is refused now, `undefined` when it is not */
  troubleFor(kind: AdmittedKind): Trouble | undefined {
    if (this.#isDiskFull && (kind === 'push' || kind === 'maintenance')) return 'disk';
    return this.#sheds(kind) ? this.#cause : undefined;
  }

  /** Whether so little disk is left that what is being written must end. */
  get isDiskSpent(): boolean {
    return this.#isDiskSpent;
  }

  #sheds(kind: AdmittedKind): boolean {
    return HEAVIEST_FIRST.slice(0, this.#level).some((kinds) => kinds.includes(kind));
  }

  #rise(): void {
    this.#troubled = 0;
    if (this.#level < HEAVIEST_FIRST.length) this.#level++;
    if (this.#samplesSinceFall < MOST_SAMPLES_TO_FALL) {
      this.#samplesToFall = Math.min(MOST_SAMPLES_TO_FALL, 2 * this.#samplesToFall);
      this.#samplesSinceFall = MOST_SAMPLES_TO_FALL;
    }
  }

  #fall(): void {
    this.#calm = 0;
    if (this.#level === 0) return;
    this.#level--;
    this.#samplesSinceFall = 0;
  }

  #observeDisk(free: Readings['freeDiskBytes'], threshold: number): void {
    if (threshold === 0 || free === 'unknown') {
      this.#isDiskFull = false;
      this.#isDiskSpent = false;
      return;
    }
    const bytes = free === 'unreadable' ? 0 : free;
    this.#isDiskFull = bytes < (this.#isDiskFull ? threshold + threshold * DISK_MARGIN : threshold);
    this.#isDiskSpent = bytes < threshold * DISK_RESERVE;
  }
}

function shareOf(reading: number, threshold: number): number {
  return threshold > 0 ? reading / threshold : 0;
}
