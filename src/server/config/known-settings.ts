/**
 * Every setting there is, with its names.
 *
 * @module
 */
import * as z from 'zod';
import { configSchema } from './config-schema.ts';
import { SETTINGS, type Setting } from './setting-types.ts';

export interface KnownSetting extends Setting {
  /** `['listen', 'http']` */
  readonly path: readonly string[];
  /** `listen.http` */
  readonly name: string;
  /** The variable that sets it: `PACKWIRE_LISTEN_HTTP`. */
  readonly variable: string;
}

export const VARIABLE_PREFIX = 'PACKWIRE_';

/** In the order of the schema. */
export const KNOWN_SETTINGS: readonly KnownSetting[] = settingsIn(configSchema, []);

const byName = new Map(KNOWN_SETTINGS.map((one) => [one.name, one]));
const byVariable = new Map(KNOWN_SETTINGS.map((one) => [one.variable, one]));

export function settingByName(name: string): KnownSetting | undefined {
  return byName.get(name);
}

export function settingByVariable(variable: string): KnownSetting | undefined {
  return byVariable.get(variable);
}

function settingsIn(schema: z.core.$ZodType, path: readonly string[]): KnownSetting[] {
  const known = SETTINGS.get(schema as z.ZodType);
  if (known !== undefined) return [{ ...known, path, name: path.join('.'), variable: variableOf(path) }];
  if (schema instanceof z.ZodPrefault) return settingsIn(schema.unwrap(), path);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as z.ZodRawShape).flatMap(([name, member]) =>
    settingsIn(member, [...path, name]),
  );
}

/** `admission.clone.waitMs` is `PACKWIRE_ADMISSION_CLONE_WAIT_MS`. */
function variableOf(path: readonly string[]): string {
  const words = path.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return `${VARIABLE_PREFIX}${words.join('_')}`;
}
