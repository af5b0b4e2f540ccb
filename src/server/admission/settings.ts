/**
 * What an operator may say about how much at once: the `admission` member of the configuration file.
 *
 * @module
 */
import { availableParallelism, totalmem } from 'node:os';
import type { WorkKind } from '../../protocol/admission.ts';
import type { Rate } from '../limits/token-bucket.ts';

/** What is counted, each for itself; `maintenance` is the housekeeping after pushes. */
export type AdmittedKind = WorkKind | 'maintenance';

/** How much of one kind of work at once. */
export interface KindSettings {
  /** How many may run in this process. */
  readonly running: number;
  /** How many of one user, or of one address where nobody is logged in. */
  readonly runningEach: number;
  /** How many in one repository. */
  readonly runningPerRepository: number;
  /** How many from one address, whoever they are. IPv6 addresses count by their /64. */
  readonly runningPerAddress: number;
  /** How many may wait for a place; 0 sends away whoever does not find one. */
  readonly waiting: number;
  /** Milliseconds after which one that waits is told to come again. */
  readonly waitMs: number;
}

export interface RateSettings {
  /** Requests of one user. */
  readonly identity: Rate;
  /** Requests from one address. */
  readonly address: Rate;
}

/** Wrong passwords and tokens; right ones do not count. */
export interface LoginSettings {
  /** From one address. */
  readonly address: Rate;
  /** With one user name, from addresses where that user has not logged in lately. */
  readonly user: Rate;
}

/** How large things may grow; 0 sets no limit. Bytes and objects of one push are members of `Limits`. */
export interface QuotaSettings {
  /** Bytes of the object files of one repository. */
  readonly repositoryBytes: number;
  /** Bytes of the object files of all repositories of one owner: those below one directory of the root. */
  readonly ownerBytes: number;
  /**
   * Milliseconds after which what is stored is measured again; in between, what is pushed is added. After a tenth of it
   * where pushes ran while it was measured.
   */
  readonly measureEveryMs: number;
}

/** When work is refused to keep the rest going; 0 looks away. */
export interface ShedSettings {
  /** Milliseconds that whatever happens waits for its turn in this process, on average over a second. */
  readonly eventLoopDelayMs: number;
  /** Bytes of memory that the process holds in all (its resident set). */
  readonly memoryBytes: number;
  /** Bytes free where repositories are stored: with less, pushes are refused; with half, those that run end too. */
  readonly freeDiskBytes: number;
}

export interface AdmissionSettings {
  /** Fetches by those who have nothing yet. */
  readonly clone: KindSettings;
  readonly fetch: KindSettings;
  readonly push: KindSettings;
  readonly archive: KindSettings;
  readonly maintenance: KindSettings;
  readonly rates: RateSettings;
  readonly logins: LoginSettings;
  readonly quotas: QuotaSettings;
  readonly shed: ShedSettings;
}

/** Any members of any depth. */
export type AdmissionOverrides = {
  readonly [Section in keyof AdmissionSettings]?: {
    readonly [Member in keyof AdmissionSettings[Section]]?: AdmissionSettings[Section][Member] | undefined;
  };
};

export interface Machine {
  /** Threads that can run at the same time. */
  readonly processors: number;
  /** Bytes that the process may use. */
  readonly memoryBytes: number;
}

/**
 * Places for each processor. Many, since most of a clone's time goes by while its client reads, at next to no cost here;
 * large walks take turns whatever their number, and identical ones share their work. A push is sent as slowly, but then it
 * is indexed and checked; an archive is compressed.
 */
const RUNNING_PER_PROCESSOR = { clone: 16, fetch: 32, push: 8, archive: 2 } as const;
/** Whoever else comes finds a place: one user has at most this share of them. */
const SHARE_OF_EACH = 1 / 2;
/** Companies come from one address, and have one large repository: more than one user, and not everything. */
const SHARE_OF_MANY = 3 / 4;
/** Those who wait for each that runs: what they cost is a connection and their request. */
const WAITING_PER_PLACE = 4;
/** Below the minute after which most proxies give up an answer that does not begin. */
const WAIT_MS = 50_000;
/**
 * Seen with 48 clones at once whose clients ran on the same two processors: 5 to 83 ms, with other work beside them up to
 * 135. Small requests, as those about health, then take about twice that.
 */
const EVENT_LOOP_DELAY_MS = 100;
/** Of what the process may use: the rest is for what grows before the next look, and for the system's file cache. */
const SHARE_OF_MEMORY = 0.75;

/** The defaults on `machine`. */
export function defaultAdmission(machine: Machine = thisMachine()): AdmissionSettings {
  const places = (kind: keyof typeof RUNNING_PER_PROCESSOR): KindSettings =>
    kindWith(RUNNING_PER_PROCESSOR[kind] * machine.processors);
  return {
    clone: places('clone'),
    fetch: places('fetch'),
    push: places('push'),
    archive: places('archive'),
    maintenance: { ...kindWith(1), waiting: 64 }, // git's own rule is one a repository; it takes every processor
    // A recursive clone with hundreds of submodules passes: three requests each. Guesses are what `logins` slows.
    rates: { identity: { perSecond: 50, burst: 1000 }, address: { perSecond: 100, burst: 2000 } },
    // Six a minute in the long run: three million a year.
    logins: { address: { perSecond: 0.1, burst: 30 }, user: { perSecond: 0.1, burst: 30 } },
    quotas: { repositoryBytes: 0, ownerBytes: 0, measureEveryMs: 60_000 },
    shed: {
      eventLoopDelayMs: EVENT_LOOP_DELAY_MS,
      memoryBytes: Math.floor(machine.memoryBytes * SHARE_OF_MEMORY),
      freeDiskBytes: 512 * 1024 * 1024,
    },
  };
}

function kindWith(running: number): KindSettings {
  return {
    running,
    runningEach: Math.ceil(running * SHARE_OF_EACH),
    runningPerRepository: Math.ceil(running * SHARE_OF_MANY),
    runningPerAddress: Math.ceil(running * SHARE_OF_MANY),
    waiting: running * WAITING_PER_PLACE,
    waitMs: WAIT_MS,
  };
}

/** Memory is what the container allows, if there is one. */
export function thisMachine(): Machine {
  const allowed = process.constrainedMemory();
  const installed = totalmem();
  return {
    processors: availableParallelism(),
    memoryBytes: allowed > 0 && allowed < installed ? allowed : installed,
  };
}

/**
 * `overrides` over the defaults. Members that are `undefined` count as left out; those of a kind then follow its `running`,
 * if that is given.
 */
export function admissionSettings(
  overrides: AdmissionOverrides = {},
  defaults: AdmissionSettings = defaultAdmission(),
): AdmissionSettings {
  const section = <Name extends keyof AdmissionSettings>(name: Name): AdmissionSettings[Name] => {
    return { ...defaults[name], ...withoutUndefined(overrides[name]) };
  };
  const kind = (name: AdmittedKind): KindSettings => {
    const running = overrides[name]?.running;
    return running === undefined
      ? section(name)
      : { ...kindWith(running), ...withoutUndefined(overrides[name]) };
  };
  return {
    clone: kind('clone'),
    fetch: kind('fetch'),
    push: kind('push'),
    archive: kind('archive'),
    maintenance: kind('maintenance'),
    rates: section('rates'),
    logins: section('logins'),
    quotas: section('quotas'),
    shed: section('shed'),
  };
}

function withoutUndefined(members: object = {}): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
