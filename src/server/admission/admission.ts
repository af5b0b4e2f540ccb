/**
 * How much at once: the one place where a server decides whether there is room for a piece of work.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { throwIfAborted } from '../../core/errors.ts';
import type { Pass, Work } from '../../protocol/admission.ts';
import type { Repository } from '../../repository/repository.ts';
import { addressKey } from '../limits/address-key.ts';
import { FairGate, type Visitor } from '../limits/fair-gate.ts';
import { LoadMonitor, NAMES } from './load-monitor.ts';
import { createLoadProbe, type LoadProbe } from './load-probe.ts';
import { type LoginAttempt, LoginThrottle } from './login-throttle.ts';
import { fileMeasures, ownerByPath } from './measures.ts';
import { type Measures, type PushRoom, Quotas } from './quotas.ts';
import { type Asker, RequestRates } from './request-rates.ts';
import type { AdmissionSettings, AdmittedKind } from './settings.ts';
import type { Readings, Trouble } from './shed-policy.ts';

/** A piece of work, and whose it is. */
export type Entry = (Work | Maintenance) &
  Asker & {
    /** The repository's one name, whatever the URL spells. Those of files are counted by their paths, all the same. */
    readonly name: string;
  };

interface Maintenance {
  readonly kind: 'maintenance';
  readonly repository?: undefined;
}

export interface AdmissionOptions {
  /** Where repositories are stored: its free space is looked at. Without it, no disk's is. */
  readonly root?: string | undefined;
  /**
   * Whose repository `name` is; `undefined` where no quota of owners holds. Default {@link ownerByPath}; with another,
   * `measures` must know its owners.
   */
  readonly ownerOf?: ((name: string) => string | undefined) | undefined;
  /** Default: the files below `objects`, of owners those of all repositories in the directory of that name. */
  readonly measures?: Measures | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: (() => number) | undefined;
  /** What says how the machine is doing. */
  readonly probe?: LoadProbe | undefined;
}

export interface AdmissionState {
  /** What is refused now to keep the rest going, and why. Nothing as long as all is well. */
  readonly shed: readonly { readonly kind: AdmittedKind; readonly because: Trouble }[];
  readonly work: Readonly<Record<AdmittedKind, { readonly running: number; readonly waiting: number }>>;
  /** As of the last second. */
  readonly load: Readings;
}

export interface Admission extends Disposable {
  /**
   * Wait for a place. Whoever waits holds none, and whoever goes away while waiting (`signal`) leaves nothing behind.
   *
   * @throws {GitError} OVERLOADED with `detail.retryAfterSeconds`; ABORTED; STORAGE_FAILED when quotas cannot be measured
   */
  enter(entry: Entry, options?: Cancellable): Promise<Pass>;
  /**
   * For who is about to send work of `kind`, and would be refused now for the state of the server.
   *
   * @throws {GitError} OVERLOADED as {@link enter}
   */
  checkLoad(kind: AdmittedKind): void;
  /** Count a request. @throws {GitError} RATE_LIMITED with `detail.retryAfterSeconds` */
  takeRate(asker: Asker): void;
  /**
   * Verify what somebody shows, unless they failed too often. `undefined` of `verify` is a failure; what it throws is not.
   *
   * @throws {GitError} RATE_LIMITED with `detail.retryAfterSeconds`, whether what they showed was right or not
   */
  guardLogin<Subject>(
    attempt: LoginAttempt,
    verify: () => Promise<Subject | undefined>,
  ): Promise<Subject | undefined>;
  state(): AdmissionState;
  /** Replace all limits: those inside stay, those who wait go on waiting. */
  setSettings(settings: AdmissionSettings): void;
  // [Symbol.dispose]() stops looking at the load. Those inside are not touched.
}

const KINDS = Object.keys(NAMES) as readonly AdmittedKind[];

export function createAdmission(settings: AdmissionSettings, options: AdmissionOptions = {}): Admission {
  return new ProcessAdmission(settings, options);
}

class ProcessAdmission implements Admission {
  readonly #gates: Readonly<Record<AdmittedKind, FairGate>>;
  readonly #rates: RequestRates;
  readonly #logins: LoginThrottle;
  readonly #quotas: Quotas;
  readonly #load: LoadMonitor;
  readonly #ownerOf: (name: string) => string | undefined;

  constructor(settings: AdmissionSettings, options: AdmissionOptions) {
    const { now = () => performance.now(), measures = fileMeasures, ownerOf = ownerByPath } = options;
    const gate = (kind: AdmittedKind): FairGate => new FairGate(NAMES[kind], settings[kind]);
    this.#gates = {
      clone: gate('clone'),
      fetch: gate('fetch'),
      push: gate('push'),
      archive: gate('archive'),
      maintenance: gate('maintenance'),
    };
    this.#rates = new RequestRates(settings.rates, now);
    this.#logins = new LoginThrottle(settings.logins, now);
    this.#quotas = new Quotas(settings.quotas, measures, now);
    this.#load = new LoadMonitor(settings.shed, options.probe ?? createLoadProbe(options.root));
    this.#ownerOf = ownerOf;
  }

  async enter(entry: Entry, { signal }: Cancellable = {}): Promise<Pass> {
    const { kind, name, repository } = entry;
    this.checkLoad(kind);
    const place = await this.#gates[kind].enter(visitorOf(entry), { signal });
    try {
      throwIfAborted(signal);
      this.#load.refuse(kind, this.#running() === 1); // it may have waited long
      if (kind !== 'push') return place;
      const room = await this.#roomFor(name, repository, signal);
      return this.#pushPass(room, () => place.release());
    } catch (error) {
      place.release();
      throw error;
    }
  }

  checkLoad(kind: AdmittedKind): void {
    this.#load.refuse(kind, this.#running() === 0);
  }

  takeRate(asker: Asker): void {
    this.#rates.take(asker);
  }

  guardLogin<Subject>(
    attempt: LoginAttempt,
    verify: () => Promise<Subject | undefined>,
  ): Promise<Subject | undefined> {
    return this.#logins.guard(attempt, verify);
  }

  state(): AdmissionState {
    const shed: { kind: AdmittedKind; because: Trouble }[] = [];
    for (const kind of KINDS) {
      const because = this.#load.troubleFor(kind);
      if (because !== undefined) shed.push({ kind, because });
    }
    const counts = ({ running, waiting }: FairGate) => ({ running, waiting });
    const { clone, fetch, push, archive, maintenance } = this.#gates;
    return {
      shed,
      work: {
        clone: counts(clone),
        fetch: counts(fetch),
        push: counts(push),
        archive: counts(archive),
        maintenance: counts(maintenance),
      },
      load: this.#load.readings,
    };
  }

  setSettings(settings: AdmissionSettings): void {
    for (const kind of KINDS) this.#gates[kind].setLimits(settings[kind]);
    this.#rates.setSettings(settings.rates);
    this.#logins.setSettings(settings.logins);
    this.#quotas.setSettings(settings.quotas);
    this.#load.setSettings(settings.shed);
  }

  [Symbol.dispose](): void {
    this.#load.close();
  }

  #running(): number {
    return KINDS.reduce((sum, kind) => sum + this.#gates[kind].running, 0);
  }

  async #roomFor(name: string, repository: Repository, signal: AbortSignal | undefined): Promise<PushRoom> {
    const room = await this.#quotas.begin({ name, repository, owner: this.#ownerOf(name) });
    if (!signal?.aborted) return room;
    room.leave(false);
    throwIfAborted(signal);
    return room;
  }

  #pushPass(room: PushRoom, leave: () => void): Pass {
    let released = false;
    return {
      take: (sizeBytes) => {
        this.#load.refuseToStore();
        room.take(sizeBytes);
      },
      release: (kept = false) => {
        if (released) return;
        released = true;
        room.leave(kept);
        leave();
      },
    };
  }
}

/** Who is not logged in is one with everybody else at that address; those who come from nowhere are one, too. */
function visitorOf({ kind, identity, address, name, repository }: Entry): Visitor {
  const network = address === undefined ? undefined : addressKey(address);
  return { party: partyOf(), repository: repository?.path ?? name, address: network };

  function partyOf(): string {
    if (kind === 'maintenance') return `repository ${name}`; // it is nobody's but the repository's
    return identity === undefined ? `address ${network ?? 'unknown'}` : `identity ${identity}`;
  }
}
