/**
 * Looks at the load every second, and says what is refused because of it.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import type { LoadProbe } from './load-probe.ts';
import type { AdmittedKind, ShedSettings } from './settings.ts';
import { type Readings, ShedPolicy, type Trouble } from './shed-policy.ts';

const SAMPLE_MS = 1_000;
/** When those who are refused may come again. A disk does not empty itself. */
const RETRY_SECONDS: Readonly<Record<Trouble, number>> = { 'event-loop': 30, memory: 30, disk: 120 };

/** Of each kind, as sentences name it. */
export const NAMES: Readonly<Record<AdmittedKind, string>> = {
  clone: 'clones',
  fetch: 'fetches',
  push: 'pushes',
  archive: 'archives',
  maintenance: 'housekeeping',
};

export class LoadMonitor {
  readonly #probe: LoadProbe;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #policy = new ShedPolicy();
  #settings: ShedSettings;
  #readings: Readings;

  constructor(settings: ShedSettings, probe: LoadProbe) {
    this.#settings = settings;
    this.#probe = probe;
    this.#readings = probe.read();
    this.#timer = setInterval(() => this.#look(), SAMPLE_MS).unref();
  }

  /** Hold from the next look on. */
  setSettings(settings: ShedSettings): void {
    this.#settings = settings;
  }

  /** As of the last look. */
  get readings(): Readings {
    return this.#readings;
  }

  troubleFor(kind: AdmittedKind): Trouble | undefined {
    return this.#policy.troubleFor(kind);
  }

  /**
   * @param isAlone whether nothing else is running: then load and memory are nobody else's, and refusing would not
   * change them
   * @throws {GitError} OVERLOADED when work of `kind` is refused now
   */
  refuse(kind: AdmittedKind, isAlone: boolean): void {
    const trouble = this.#policy.troubleFor(kind);
    if (trouble === undefined || (isAlone && trouble !== 'disk')) return;
    const retryAfterSeconds = RETRY_SECONDS[trouble];
    const problem = trouble === 'disk' ? 'is almost out of disk space' : 'is overloaded';
    throw new GitError(
      'OVERLOADED',
      `The server ${problem} and takes no ${NAMES[kind]} for now; try again in ${retryAfterSeconds} s`,
      { retryAfterSeconds },
    );
  }

  /** @throws {GitError} LIMIT_EXCEEDED when the disk is so full that pushes that run must end */
  refuseToStore(): void {
    if (!this.#policy.isDiskSpent) return;
    throw new GitError(
      'LIMIT_EXCEEDED',
      'The server has run out of disk space; nothing of this push is kept',
    );
  }

  close(): void {
    clearInterval(this.#timer);
    this.#probe.close();
  }

  #look(): void {
    this.#readings = this.#probe.read();
    this.#policy.observe(this.#readings, this.#settings);
  }
}
