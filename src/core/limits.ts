/**
 * Every size, count, depth and time that a peer controls has its ceiling here, with its default.
 * The README prints this table; embedders override single members.
 *
 * @module
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export interface Limits {
  /** Bytes of one incoming pack, its header and trailer included. git: receive.maxInputSize, unlimited. */
  readonly maxPackBytes: number;
  /** Objects one incoming pack may declare. The format allows 2^32 - 1. */
  readonly maxPackObjects: number;
  /** Inflated bytes of one object. */
  readonly maxObjectBytes: number;
  /** Inflated bytes of all entries of one incoming pack together: the zip bomb's ceiling. */
  readonly maxInflatedBytes: number;
  /** Bytes of an object that arrives as a delta, or is the base of one: these are held in memory. */
  readonly maxDeltaObjectBytes: number;
  /** Bytes all resolved deltas of one incoming pack may add up to: the delta bomb's ceiling. */
  readonly maxResolvedBytes: number;
  /** Links from a delta to a whole object. git writes at most 4095. */
  readonly maxDeltaDepth: number;
  /** Directory levels a walk descends. git: core.maxTreeDepth. */
  readonly maxTreeDepth: number;
  /** Ref update commands in one push. */
  readonly maxRefUpdates: number;
  /** Bytes of the command list, push options and shallow lines of one push. JGit: receive.maxCommandBytes. */
  readonly maxCommandBytes: number;
  readonly maxPushOptions: number;
  /** Bytes of one fetch request after decompression. git: http.maxRequestBuffer. */
  readonly maxFetchRequestBytes: number;
  /** Wants in one fetch. */
  readonly maxWants: number;
  /** Haves remembered in one negotiation. */
  readonly maxHaves: number;
  /** `ref-prefix` lines honoured; beyond it every ref is listed, as git does. */
  readonly maxRefPrefixes: number;
  /** Shallow and deepen lines in one request. */
  readonly maxShallowLines: number;
  /** Bytes of one pack that are put aside in a file for several clients at their own pace. 0 shares no such pack. */
  readonly maxPackSpoolBytes: number;
  /** Bytes all such files of a process may hold together. */
  readonly maxSpoolBytes: number;
  /** Milliseconds without one byte from the client before a request is cut. */
  readonly idleTimeoutMs: number;
  /**
   * The same where a client of a connection that stays open gets its push ready: before its commands its hooks run, before
   * its pack it makes that. Never less than `idleTimeoutMs`.
   */
  readonly pushPauseMs: number;
  /** Bytes that a request or pack must bring in each `floorWindowMs` that is spent waiting for its client. 0 asks for none. */
  readonly floorBytes: number;
  /** Milliseconds. */
  readonly floorWindowMs: number;
  /** Milliseconds of silence on a side-band before an empty keepalive packet is sent. git: 5 s. */
  readonly keepaliveMs: number;
  /** Milliseconds one of a repository's own hooks may run in a push before it is ended. 0 waits for ever, as git. */
  readonly hookTimeoutMs: number;
  /** Bytes of one archive, before it is compressed as a whole. */
  readonly maxArchiveBytes: number;
  /** Files, links and directories of one archive. */
  readonly maxArchiveEntries: number;
  /** Milliseconds the making of one archive may take. 0 sets no end. */
  readonly archiveTimeoutMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxPackBytes: 64 * GIB,
  maxPackObjects: 50_000_000,
  maxObjectBytes: 32 * GIB,
  maxInflatedBytes: 512 * GIB,
  maxDeltaObjectBytes: 512 * MIB, // git's core.bigFileThreshold: it makes no deltas of larger objects
  maxResolvedBytes: 4096 * GIB,
  maxDeltaDepth: 4095, // git's ceiling for pack.depth
  maxTreeDepth: 2048, // git's core.maxTreeDepth
  maxRefUpdates: 50_000,
  maxCommandBytes: 16 * MIB,
  maxPushOptions: 1024,
  maxFetchRequestBytes: 10 * MIB, // git's http.maxRequestBuffer
  maxWants: 100_000,
  maxHaves: 1_000_000,
  maxRefPrefixes: 65_536, // git's TOO_MANY_PREFIXES
  maxShallowLines: 100_000,
  maxPackSpoolBytes: 2 * GIB,
  maxSpoolBytes: 4 * GIB,
  idleTimeoutMs: 120_000,
  pushPauseMs: 600_000,
  floorBytes: 1024, // 17 bytes a second: below any modem, and a byte every two minutes is no network
  floorWindowMs: 60_000,
  keepaliveMs: 5_000,
  hookTimeoutMs: 600_000,
  maxArchiveBytes: 64 * GIB,
  maxArchiveEntries: 10_000_000,
  archiveTimeoutMs: 3_600_000,
};
