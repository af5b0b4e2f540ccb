/**
 * The JSON schema of the configuration file, for editors and for those who make such files.
 *
 * @module
 */
import * as z from 'zod';
import { configSchema } from './config-schema.ts';

/** What `docs/config.schema.json` holds. */
export function configJsonSchema(): unknown {
  return withoutNoise(z.toJSONSchema(configSchema, { io: 'input' }));
}

/** Left out: that a group is empty by default, and that integers are those that JavaScript counts exactly. */
function withoutNoise(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutNoise);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(([name, value]) => {
    if (name === 'default') return typeof value !== 'object' || value === null || Array.isArray(value);
    return !(name === 'maximum' && value === Number.MAX_SAFE_INTEGER);
  });
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutNoise(value)]));
}
