/**
 * What a repository's own configuration says about fetches, together with what the application allows.
 * Spec: git-config(1), `uploadpack.*`, `uploadpackfilter.*`, `lsrefs.unborn`, `transfer.advertise*`.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import type { GitConfig } from '../repository/git-config.ts';
import { configuredHiddenRefs } from '../repository/hidden-ref-config.ts';
import { hiddenWithin } from '../repository/namespace.ts';
import type { FetchOptions, WantPolicy } from './fetch-context.ts';
import { readFilterRules } from './filter-rules.ts';
import type { ProtocolVersion } from './service.ts';
import { hasPackfileUris } from './v2/packfile-uris.ts';

/** What the application says; see UploadPackOptions. */
export interface FetchChoices {
  readonly protocolVersion: ProtocolVersion;
  readonly limits: Limits;
  readonly wantPolicy?: WantPolicy | undefined;
  readonly allowFilter?: boolean | undefined;
  readonly hiddenRefs?: readonly string[] | undefined;
  /** Before the full names of the refs of a namespace; empty without one. */
  readonly namespacePrefix?: string | undefined;
  readonly defaults?: 'packwire' | 'git' | undefined;
}

/** From the strictest to the most generous. */
const POLICIES: readonly WantPolicy[] = ['advertised', 'reachable', 'any'];

/**
 * Where both speak, the stricter holds; where neither does, `choices.defaults`.
 *
 * @throws {GitError} REPOSITORY_INVALID for values that are none
 */
export function fetchSettings(
  config: GitConfig | undefined,
  choices: FetchChoices,
): Pick<
  FetchOptions,
  | 'limits'
  | 'wantPolicy'
  | 'hiddenRefs'
  | 'unwantedRefs'
  | 'allowFilter'
  | 'filterRules'
  | 'unborn'
  | 'allowRefInWant'
  | 'allowSidebandAll'
  | 'allowPackfileUris'
  | 'advertiseSessionId'
  | 'advertiseObjectInfo'
  | 'advertiseBundleUris'
> {
  const isOn = (name: string): boolean => config?.getBoolean(name) ?? false;
  const { namespacePrefix = '' } = choices;
  const hiddenByApplication = hiddenWithin(choices.hiddenRefs ?? [], namespacePrefix);
  // The application's patterns come last, so that a repository cannot show what the application hides.
  const hiddenRefs = [
    ...hiddenWithin(configuredHiddenRefs(config, 'uploadpack'), namespacePrefix),
    ...hiddenByApplication,
  ];
  const { wantPolicy, hiddenTips } = wantSettings(config, choices);
  return {
    limits: withKeepalive(choices.limits, config?.getInteger('uploadpack.keepalive')),
    wantPolicy,
    hiddenRefs,
    unwantedRefs: hiddenTips ? hiddenByApplication : hiddenRefs,
    allowFilter: allowsFilter(config, choices),
    filterRules: readFilterRules(config?.entries ?? []),
    unborn: unbornSetting(config),
    allowRefInWant: isOn('uploadpack.allowrefinwant'),
    allowSidebandAll: isOn('uploadpack.allowsidebandall'),
    allowPackfileUris: hasPackfileUris(config),
    advertiseSessionId: isOn('transfer.advertisesid'),
    advertiseObjectInfo: isOn('transfer.advertiseobjectinfo'),
    advertiseBundleUris: isOn('uploadpack.advertisebundleuris'),
  };
}

/**
 * In v0 and v1 the repository's three keys decide as they do for git. git does not look at them in v2, where everything
 * may be wanted: here they can only widen what is served there.
 */
function wantSettings(
  config: GitConfig | undefined,
  { wantPolicy: ceiling, protocolVersion, defaults }: FetchChoices,
): { readonly wantPolicy: WantPolicy; readonly hiddenTips: boolean } {
  const tip = config?.getBoolean('uploadpack.allowtipsha1inwant');
  const reachable = config?.getBoolean('uploadpack.allowreachablesha1inwant');
  const any = config?.getBoolean('uploadpack.allowanysha1inwant');
  const isSilent = tip === undefined && reachable === undefined && any === undefined;
  const configured: WantPolicy = any ? 'any' : reachable ? 'reachable' : 'advertised';

  const isStrict = protocolVersion !== 2 && (defaults === 'git' || !isSilent);
  const unsaid: WantPolicy = isStrict ? 'advertised' : 'reachable';
  const least = isSilent ? (ceiling ?? unsaid) : unsaid;
  const wanted = POLICIES[Math.max(POLICIES.indexOf(configured), POLICIES.indexOf(least))] as WantPolicy;
  const most = POLICIES.indexOf(ceiling ?? 'any');
  return {
    wantPolicy: POLICIES[Math.min(POLICIES.indexOf(wanted), most)] as WantPolicy,
    // An application that says what may be wanted speaks of what clients are shown.
    hiddenTips: ceiling === undefined && (tip === true || reachable === true),
  };
}

function allowsFilter(config: GitConfig | undefined, { allowFilter, defaults }: FetchChoices): boolean {
  const configured = config?.getBoolean('uploadpack.allowfilter');
  if (configured === undefined) return allowFilter ?? defaults !== 'git';
  return configured && allowFilter !== false;
}

/** `uploadpack.keepAlive` counts seconds; 0 sends none. */
function withKeepalive(limits: Limits, seconds: number | undefined): Limits {
  return seconds === undefined ? limits : { ...limits, keepaliveMs: Math.max(0, seconds) * 1000 };
}

function unbornSetting(config: GitConfig | undefined): FetchOptions['unborn'] {
  const value = config?.get('lsrefs.unborn');
  if (value === undefined) return 'advertise';
  if (value === 'advertise' || value === 'allow' || value === 'ignore') return value;
  throw new GitError('REPOSITORY_INVALID', `Cannot read config: bad value '${value}' for 'lsrefs.unborn'`);
}
