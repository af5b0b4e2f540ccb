import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import type { ObjectTable } from '../../src/pack/object-table.ts';
import { createResolveControl } from '../../src/pack/resolve-control.ts';
import { jobTerms, type ResolveJob } from '../../src/pack/resolve-job.ts';

/** To resolve all of a scanned pack that is whole. */
export function jobOf(
  table: ObjectTable,
  control: Int32Array = createResolveControl(),
  members: Partial<ResolveJob> = {},
): ResolveJob {
  return {
    ...jobTerms(table, control, { limits: DEFAULT_LIMITS }),
    phase: 'main',
    objectCount: table.count,
    refBases: undefined,
    familiesStart: undefined,
    heavyRoots: new Int32Array(0),
    isMuchLarge: false,
    ...members,
  };
}
