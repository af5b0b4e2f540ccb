/**
 * What a repository's own configuration says about pushes into it.
 * Spec: git-config(1), "receive.*", "transfer.*".
 *
 * @module
 */
import type { Limits } from '../../core/limits.ts';
import type { GitConfig } from '../git-config.ts';
import type { CheckedOutAction, DenyAction, EffectiveRefPolicy, RefPolicy } from './ref-policy.ts';

/** The stricter of what the application wants and what the repository's configuration says. */
export function effectivePolicy(policy: RefPolicy, config: GitConfig | undefined): EffectiveRefPolicy {
  return {
    denyDeletes: policy.denyDeletes === true || config?.getBoolean('receive.denyDeletes') === true,
    denyNonFastForwards:
      policy.denyNonFastForwards === true || config?.getBoolean('receive.denyNonFastForwards') === true,
    denyDeleteCurrent: deleteAction(policy, config),
    denyCurrentBranch: policy.denyCurrentBranch === true,
    checkedOut: checkedOutAction(config),
  };
}

function deleteAction({ denyDeleteCurrent }: RefPolicy, config: GitConfig | undefined): DenyAction {
  if (denyDeleteCurrent !== undefined) return denyDeleteCurrent ? 'refuse' : 'ignore';
  if (config === undefined) return 'refuse';
  const action = configuredAction(config, 'receive.denyDeleteCurrent');
  return action === 'updateInstead' ? 'refuse' : action;
}

function checkedOutAction(config: GitConfig | undefined): CheckedOutAction {
  return config === undefined ? 'refuse' : configuredAction(config, 'receive.denyCurrentBranch');
}

/** git's words for it, or a boolean: whether to refuse. */
function configuredAction(config: GitConfig, name: string): CheckedOutAction {
  switch (config.get(name)?.toLowerCase()) {
    case undefined:
      return 'unconfigured';
    case 'ignore':
      return 'ignore';
    case 'warn':
      return 'warn';
    case 'refuse':
      return 'refuse';
    case 'updateinstead':
      return 'updateInstead';
    default:
      return config.getBoolean(name) === false ? 'ignore' : 'refuse';
  }
}

/** `receive.unpackLimit`, or else `transfer.unpackLimit`; a negative one says nothing. */
export function configuredUnpackLimit(config: GitConfig | undefined): number | undefined {
  const values = ['receive.unpackLimit', 'transfer.unpackLimit'].map((name) => config?.getInteger(name));
  return values.find((value) => value !== undefined && value >= 0);
}

/** `limits` with a smaller ceiling for packs when `receive.maxInputSize` sets one. */
export function effectiveLimits(limits: Limits, config: GitConfig | undefined): Limits {
  const maxInputBytes = config?.getInteger('receive.maxInputSize') ?? 0;
  if (maxInputBytes <= 0 || maxInputBytes >= limits.maxPackBytes) return limits;
  return { ...limits, maxPackBytes: maxInputBytes };
}
