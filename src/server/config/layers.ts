/**
 * Where settings come from: flags before the environment, the environment before the file, the file before defaults.
 *
 * @module
 */
import { JsonDocument } from './json-document.ts';
import {
  KNOWN_SETTINGS,
  type KnownSetting,
  settingByName,
  settingByVariable,
  VARIABLE_PREFIX,
} from './known-settings.ts';
import { nearestName } from './nearest-name.ts';
import { DEFAULT_ORIGIN, type Origin, type PathStep, type Problem } from './problem.ts';
import type { SettingKind } from './setting-types.ts';

/** A setting that a command line gives. */
export interface FlagValue {
  /** `listen.http` */
  readonly setting: string;
  /** `--http` */
  readonly flag: string;
  /** Text is read as that of the environment is, but a list comes as one. */
  readonly value: string | boolean | readonly string[];
}

export interface LayerSources {
  readonly document?: JsonDocument | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags: readonly FlagValue[];
}

/** What all of them say together. */
export interface Layers {
  /** As the file's schema wants it; not checked yet. */
  readonly value: unknown;
  /** Variables that nothing reads. */
  readonly problems: readonly Problem[];
  /** Where the value of a setting was given, or `default`. */
  originOf(path: readonly PathStep[]): Origin;
  /** Where to look for what is wrong at `path`. */
  placeOf(path: readonly PathStep[]): Origin;
}

/** Variables of this prefix that are read elsewhere. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(['PACKWIRE_CONFIG', 'PACKWIRE_INFLATER']);

export function layersOf({ document, environment, flags }: LayerSources): Layers {
  let value: unknown = structuredClone(document?.value ?? {});
  const origins = new Map<string, Origin>();
  const set = ({ path, name }: KnownSetting, given: unknown, origin: Origin): void => {
    value = withValue(value, path, given);
    origins.set(name, origin);
  };
  for (const known of KNOWN_SETTINGS) {
    const text = environment[known.variable];
    if (text === undefined || text === '') continue;
    set(known, valueOfText(known.kind, text), { kind: 'environment', name: known.variable });
  }
  for (const { setting, flag, value: given } of flags) {
    const known = settingByName(setting);
    if (known === undefined) throw new TypeError(`No setting ${setting}`);
    const read = typeof given === 'string' ? valueOfText(known.kind, given) : given;
    set(known, read, { kind: 'flag', name: flag });
  }
  const overridden = (path: readonly PathStep[]): Origin | undefined =>
    path.map((_, at) => origins.get(path.slice(0, at + 1).join('.'))).find((origin) => origin !== undefined);
  return {
    value,
    problems: unknownVariables(environment),
    originOf: (path) => overridden(path) ?? document?.originOf(path) ?? DEFAULT_ORIGIN,
    placeOf: (path) => overridden(path) ?? document?.nearestOrigin(path) ?? DEFAULT_ORIGIN,
  };
}

/** `value` with another one inside. What is no object on the way stays, for the schema to complain of. */
function withValue(value: unknown, [name, ...rest]: readonly string[], given: unknown): unknown {
  if (name === undefined) return given;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = value as Record<string, unknown>;
  return { ...members, [name]: withValue(members[name] ?? {}, rest, given) };
}

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['off', false],
  ['0', false],
]);

/** Text that does not say what it should stays text, for the schema to complain of. */
function valueOfText(kind: SettingKind, text: string): unknown {
  switch (kind) {
    case 'flag':
      return WORDS.get(text.toLowerCase()) ?? text;
    case 'number':
      return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    case 'list':
      return text.split(',').map((item) => item.trim());
    case 'structure':
      return structureOf(text);
    default:
      return text;
  }
}

function structureOf(text: string): unknown {
  const document = new JsonDocument('', text);
  return document.problems.length === 0 ? document.value : text;
}

function unknownVariables(environment: LayerSources['environment']): Problem[] {
  const unknown = Object.keys(environment).filter((name) => {
    return name.startsWith(VARIABLE_PREFIX) && !OTHER_VARIABLES.has(name) && !settingByVariable(name);
  });
  return unknown.flatMap((name): Problem[] => {
    const meant = nearestName(
      name.slice(VARIABLE_PREFIX.length),
      KNOWN_SETTINGS.map(({ variable }) => variable.slice(VARIABLE_PREFIX.length)),
    );
    // Others may have variables of this prefix: a cluster sets PACKWIRE_PORT_… for a service of this name.
    if (meant === undefined) return [];
    const sentence = `nothing reads it; did you mean ${VARIABLE_PREFIX}${meant}?`;
    return [{ severity: 'warning', origin: { kind: 'environment', name }, setting: '', sentence }];
  });
}
