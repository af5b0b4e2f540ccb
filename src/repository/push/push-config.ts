/**
 * What a repository's own configuration says about pushes into it.
 * Spec: git-config(1), "receive.*", "transfer.*".
 *
 * @module
 */
import type { Limits } from '../../core/limits.ts';
import type { GitConfig } from '../git-config.ts';
import type { RefPolicy } from './ref-policy.ts';

/** git's `refuse`, `warn` and `ignore`; of `updateInstead` we can only do the refusing half. */
function isRefused(value: string): boolean {
  return !/^(?:ignore|warn|false|no|off|0)$/i.test(value);
}

/** The stricter of what the application wants and what the repository's configuration says. */
export function effectivePolicy(policy: RefPolicy, config: GitConfig | undefined): RefPolicy {
  if (config === undefined) return policy;
  const denyDeleteCurrent = config.get('receive.denyDeleteCurrent');
  const denyCurrentBranch = config.get('receive.denyCurrentBranch') ?? 'refuse';
  const hasWorkTree = config.getBoolean('core.bare') === false;
  return {
    denyDeletes: policy.denyDeletes === true || config.getBoolean('receive.denyDeletes') === true,
    denyNonFastForwards:
      policy.denyNonFastForwards === true || config.getBoolean('receive.denyNonFastForwards') === true,
    denyDeleteCurrent:
      policy.denyDeleteCurrent ?? (denyDeleteCurrent === undefined || isRefused(denyDeleteCurrent)),
    denyCurrentBranch: policy.denyCurrentBranch === true || (hasWorkTree && isRefused(denyCurrentBranch)),
  };
}

/** `receive.unpackLimit`, or else `transfer.unpackLimit`. */
export function configuredUnpackLimit(config: GitConfig | undefined): number | undefined {
  return config?.getInteger('receive.unpackLimit') ?? config?.getInteger('transfer.unpackLimit');
}

/** `limits` with a smaller ceiling for packs when `receive.maxInputSize` sets one. */
export function effectiveLimits(limits: Limits, config: GitConfig | undefined): Limits {
  const maxInputBytes = config?.getInteger('receive.maxInputSize') ?? 0;
  if (maxInputBytes <= 0 || maxInputBytes >= limits.maxPackBytes) return limits;
  return { ...limits, maxPackBytes: maxInputBytes };
}
