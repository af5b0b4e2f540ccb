/**
 * What a schema says against a value, in the operator's terms.
 *
 * @module
 */
import * as z from 'zod';
import { nearestName } from './nearest-name.ts';
import type { PathStep } from './problem.ts';
import { MAY_HOLD_A_SECRET } from './setting-types.ts';

/** Something a schema says. */
export interface SchemaProblem {
  readonly path: readonly PathStep[];
  readonly sentence: string;
  /** The unknown member of the object at `path` that it is about. */
  readonly unknown?: string | undefined;
}

export interface SchemaProblemOptions {
  readonly value: unknown;
  /** Names of the members that the object at a path may have. */
  readonly membersAt: (path: readonly PathStep[]) => readonly string[];
  /** @returns the place of a member that is known somewhere else: `listen.http` for `http` */
  readonly elsewhere?: ((name: string) => string | undefined) | undefined;
}

export function schemaProblems(
  { issues }: z.core.$ZodError,
  { value, membersAt, elsewhere }: SchemaProblemOptions,
): SchemaProblem[] {
  return issues.flatMap((issue): SchemaProblem[] => {
    const path = issue.path as PathStep[];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((unknown) => {
        const meant = nearestName(unknown, membersAt(path)) ?? elsewhere?.(unknown);
        const hint = meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`;
        return { path, unknown, sentence: `there is no member ${JSON.stringify(unknown)} here${hint}` };
      });
    }
    const found = valueAt(value, path);
    if (found === undefined) return [{ path, sentence: `is missing: it ${issue.message}` }];
    const isSecret = issue.code === 'custom' && issue.params === MAY_HOLD_A_SECRET;
    return [{ path, sentence: `${issue.message}${isSecret ? '' : got(found)}` }];
  });
}

const LONGEST_SHOWN = 60;

/** What is there instead, unless it is long or has a structure of its own. */
function got(found: unknown): string {
  if (typeof found === 'object' && found !== null) return '';
  const text = JSON.stringify(found);
  return `, got ${text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text}`;
}

export function valueAt(value: unknown, path: readonly PathStep[]): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Record<PathStep, unknown>)[step];
  }
  return found;
}

/** Names of the members that `schema` wants of the object at `path`. */
export function memberNames(schema: z.core.$ZodType, path: readonly PathStep[]): readonly string[] {
  const inner = unwrapped(schema);
  const [step, ...rest] = path;
  if (inner instanceof z.ZodObject) {
    const shape = inner.shape as z.ZodRawShape;
    if (step === undefined) return Object.keys(shape);
    const member = typeof step === 'string' && Object.hasOwn(shape, step) ? shape[step] : undefined;
    return member === undefined ? [] : memberNames(member, rest);
  }
  if (inner instanceof z.ZodArray && step !== undefined) return memberNames(inner.element, rest);
  if (inner instanceof z.ZodRecord && step !== undefined) return memberNames(inner.valueType, rest);
  return [];
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) return unwrapped(schema.unwrap());
  return schema;
}

/** Members that `schema` does not know, where it lets them pass, but whose names are close to some that it knows. */
export function misspeltMembers(schema: z.core.$ZodType, value: unknown): SchemaProblem[] {
  const found: SchemaProblem[] = [];
  const path: PathStep[] = [];
  const visit = (one: z.core.$ZodType, at: unknown): void => {
    if (typeof at !== 'object' || at === null) return;
    const inner = unwrapped(one);
    if (inner instanceof z.ZodArray) {
      if (!Array.isArray(at)) return;
      for (const [step, item] of at.entries()) descend(inner.element, step, item);
    } else if (inner instanceof z.ZodRecord) {
      for (const [step, member] of Object.entries(at)) descend(inner.valueType, step, member);
    } else if (inner instanceof z.ZodObject) {
      const shape = inner.shape as z.ZodRawShape;
      for (const [name, member] of Object.entries(at)) {
        const known = Object.hasOwn(shape, name) ? shape[name] : undefined;
        if (known !== undefined) descend(known, name, member);
        else complain(name, Object.keys(shape));
      }
    }
  };
  const descend = (one: z.core.$ZodType, step: PathStep, at: unknown): void => {
    if (typeof at !== 'object') return;
    path.push(step);
    visit(one, at);
    path.pop();
  };
  const complain = (unknown: string, names: readonly string[]): void => {
    const meant = nearestName(unknown, names);
    if (meant === undefined) return;
    const sentence = `there is no member ${JSON.stringify(unknown)}; did you mean ${JSON.stringify(meant)}?`;
    found.push({ path: [...path], unknown, sentence });
  };
  visit(schema, value);
  return found;
}
