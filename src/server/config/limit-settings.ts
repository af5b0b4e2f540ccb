/**
 * The engine's limits as settings.
 *
 * @module
 */
import type * as z from 'zod';
import { DEFAULT_LIMITS, type Limits } from '../../core/limits.ts';
import { count, duration, group, setting, size } from './setting-types.ts';

const DESCRIPTIONS: Readonly<Record<keyof Limits, string>> = {
  maxPackBytes: 'Bytes of one pack that is pushed.',
  maxPackObjects: 'Objects in one pack that is pushed.',
  maxObjectBytes: 'Bytes of one pushed object, inflated.',
  maxInflatedBytes: 'Bytes of all objects of one pushed pack together, inflated.',
  maxDeltaObjectBytes:
    'Bytes of a pushed object that is a delta or the base of one; these are held in memory.',
  maxResolvedBytes: 'Bytes that the resolved deltas of one pushed pack may add up to.',
  maxDeltaDepth: 'Deltas from a pushed object to a whole one.',
  maxTreeDepth: 'Levels of directories.',
  maxRefUpdates: 'Refs that one push may change.',
  maxCommandBytes: 'Bytes of the commands and options of one push.',
  maxPushOptions: 'Push options of one push.',
  maxFetchRequestBytes: 'Bytes of one request of a fetch, decompressed.',
  maxWants: 'Objects that one fetch may want.',
  maxHaves: 'Objects that one fetch may say it has.',
  maxRefPrefixes: 'Prefixes of refs that are heeded in one request; with more, all refs are listed.',
  maxShallowLines: 'Lines about shallow history in one request.',
  maxPackSpoolBytes: 'Bytes of one pack put aside in a file for several clients; 0 shares none.',
  maxSpoolBytes: 'Bytes of all such files together.',
  idleTimeoutMs: 'Time without one byte from or to the client before a request is cut.',
  pushPauseMs: 'The same, over SSH and git://, before the commands and before the pack of a push.',
  floorBytes: 'Bytes that a client must send in each such time that it is waited for; 0 asks for none.',
  floorWindowMs: 'Time in which a request or a pack must bring floorBytes.',
  keepaliveMs: 'Silence before a client is sent a sign of life.',
  hookTimeoutMs: 'Time that one hook may run; 0 waits for ever.',
  maxArchiveBytes: 'Bytes of one archive before it is compressed.',
  maxArchiveEntries: 'Files, links and directories of one archive.',
  archiveTimeoutMs: 'Time that the making of one archive may take; 0 sets no end.',
};

/** Where 0 says something else than nothing. */
const MAY_BE_ZERO: readonly (keyof Limits)[] = [
  'maxPushOptions',
  'maxPackSpoolBytes',
  'maxSpoolBytes',
  'floorBytes',
  'hookTimeoutMs',
  'archiveTimeoutMs',
];

type AmountSetting = z.ZodType<number, number | string | undefined>;

export const limitSettings = group('Ceilings of what one client may ask of the engine.', {
  ...(Object.fromEntries(
    (Object.keys(DESCRIPTIONS) as (keyof Limits)[]).map((name) => [name, limit(name)]),
  ) as Record<keyof Limits, AmountSetting>),
});

function limit(name: keyof Limits): AmountSetting {
  const least = MAY_BE_ZERO.includes(name) ? 0 : 1;
  const fallback = DEFAULT_LIMITS[name];
  if (name.endsWith('Bytes')) return setting(size({ least }), DESCRIPTIONS[name], fallback);
  if (name.endsWith('Ms')) return setting(duration({ least }), DESCRIPTIONS[name], fallback);
  return setting(count({ least }), DESCRIPTIONS[name], fallback) as AmountSetting;
}
