/**
 * As much of JSON Schema as an OpenAPI document of ours is written in, stricter in one point: an object has no member
 * that is not described.
 *
 * @module
 */
import type { Yaml } from './yaml.ts';

export type Schema = Readonly<Record<string, Yaml>>;

interface Described {
  readonly problems: readonly string[];
  /** Members of the object that some part of the schema describes. */
  readonly members: ReadonlySet<string>;
}

const KEYWORDS = new Set(
  '$ref type required properties items oneOf allOf const enum minItems minLength description default examples'.split(
    ' ',
  ),
);

/** @returns what is wrong with `value`, as sentences; empty when it is as described */
export function problemsWith(value: unknown, schema: Schema, document: Schema, path = '$'): string[] {
  const { problems, members } = describe(value, schema, document, path);
  return [...problems, ...undescribed(value, members, path)];
}

function undescribed(value: unknown, members: ReadonlySet<string>, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.keys(value)
    .filter((name) => !members.has(name))
    .map((name) => `${path}.${name} is not described`);
}

function describe(value: unknown, schema: Schema, document: Schema, path: string): Described {
  for (const keyword of Object.keys(schema)) {
    if (!KEYWORDS.has(keyword)) throw new Error(`the schema of ${path} says ${keyword}`);
  }
  const { $ref, type, required, properties, items, oneOf, allOf, minItems, minLength } = schema;
  if (typeof $ref === 'string') return describe(value, resolve($ref, document), document, path);
  const problems: string[] = [];
  const members = new Set<string>();
  if (type !== undefined && !isOfType(value, type)) problems.push(`${path} is no ${String(type)}`);
  if ('const' in schema && value !== schema.const) problems.push(`${path} is not ${String(schema.const)}`);
  if (Array.isArray(schema.enum) && !schema.enum.includes(value as Yaml))
    problems.push(`${path} is none of ${schema.enum.join()}`);
  if (typeof minLength === 'number' && (value as string).length < minLength)
    problems.push(`${path} is too short`);
  if (Array.isArray(value)) {
    if (typeof minItems === 'number' && value.length < minItems) problems.push(`${path} has too few`);
    for (const [index, item] of value.entries()) {
      problems.push(...problemsWith(item, items as Schema, document, `${path}[${index}]`));
    }
  } else if (typeof value === 'object' && value !== null) {
    const object = value as Readonly<Record<string, unknown>>;
    for (const name of (required ?? []) as readonly string[]) {
      if (!(name in object)) problems.push(`${path}.${name} is missing`);
    }
    for (const [name, member] of Object.entries((properties ?? {}) as Record<string, Schema>)) {
      members.add(name);
      if (name in object) problems.push(...problemsWith(object[name], member, document, `${path}.${name}`));
    }
  }
  for (const part of (allOf ?? []) as readonly Schema[]) {
    const described = describe(value, part, document, path);
    problems.push(...described.problems);
    for (const name of described.members) members.add(name);
  }
  if (Array.isArray(oneOf)) {
    const fits = (oneOf as readonly Schema[]).map((part) => describe(value, part, document, path));
    const fitting = fits.filter((fit) => fit.problems.length === 0);
    if (fitting.length !== 1) problems.push(`${path} fits ${fitting.length} of ${fits.length}`);
    for (const name of fitting[0]?.members ?? []) members.add(name);
  }
  return { problems, members };
}

function resolve(reference: string, document: Schema): Schema {
  return reference
    .replace(/^#\//, '')
    .split('/')
    .reduce<Yaml>((found, step) => (found as Schema)[step] as Yaml, document) as Schema;
}

function isOfType(value: unknown, type: Yaml): boolean {
  switch (type) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}
