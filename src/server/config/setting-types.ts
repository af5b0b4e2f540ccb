/**
 * The kinds of settings: what may be written for each, in the file and as text, and how that is said.
 *
 * @module
 */
import * as z from 'zod';
import { isGitError } from '../../core/errors.ts';
import { trustedNetworks } from '../doors/trusted-networks.ts';
import { parseListenAddress } from '../listen-address.ts';
import { DURATION_TEXT, parseDurationMs, parseSizeBytes, SIZE_TEXT } from './units.ts';

/** How text of environment variables and flags becomes a value, and a value is shown. */
export type SettingKind =
  | 'flag'
  | 'number'
  /** Bytes, as a number or as text with a unit. */
  | 'size'
  /** Milliseconds, as a number or as text with a unit. */
  | 'duration'
  | 'text'
  /** Of a file or directory; relative ones start at the configuration file, or where the command runs. */
  | 'path'
  | 'list'
  /** Objects, which only JSON can say. */
  | 'structure';

export interface Setting {
  readonly kind: SettingKind;
  readonly description: string;
}

/** What is known of each setting of a schema. */
export const SETTINGS = z.registry<Setting>();

/** With an issue of a value that is not to be repeated. */
export const MAY_HOLD_A_SECRET = { mayHoldASecret: true };

/** A type of values together with its kind. */
interface SettingType<Type extends z.ZodType> {
  readonly kind: SettingKind;
  readonly type: Type;
}

/** A setting that always has a value. */
export function setting<Type extends z.ZodType>(
  { kind, type }: SettingType<Type>,
  description: string,
  fallback: z.input<Type>,
): z.ZodPrefault<Type> {
  const schema = type.meta({ description }).prefault(fallback as z.core.util.NoUndefined<z.input<Type>>);
  SETTINGS.add(schema, { kind, description });
  return schema;
}

/** A setting that may have none. */
export function optional<Type extends z.ZodType>(
  { kind, type }: SettingType<Type>,
  description: string,
): z.ZodOptional<Type> {
  const schema = type.meta({ description }).optional();
  SETTINGS.add(schema, { kind, description });
  return schema;
}

/** Settings that belong together. Others than these are errors. */
export function group<Shape extends z.ZodRawShape>(description: string, shape: Shape) {
  return members(shape)
    .meta({ description })
    .prefault({} as never);
}

/** An object of these members only. */
export function members<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'invalid_type' ? 'must be an object: { … }' : undefined),
  });
}

export function flag(): SettingType<z.ZodBoolean> {
  return { kind: 'flag', type: z.boolean('must be true or false') };
}

export function count({ least = 1, most = Number.MAX_SAFE_INTEGER } = {}) {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  const error = `must be a whole number ${range}`;
  return { kind: 'number', type: z.int(error).min(least, error).max(most, error) } as const;
}

/** Also parts of one, above 0. */
export function rate() {
  const error = 'must be a number above 0';
  return { kind: 'number', type: z.number(error).positive(error) } as const;
}

export function size({ least = 1 } = {}) {
  const error = `must be a size of at least ${least} bytes, such as 500, "10k", "2m" or "1g"`;
  const units = ['Bytes.', 'With a unit: k, m, g, t.'] as const;
  return { kind: 'size', type: measure(SIZE_TEXT, parseSizeBytes, least, error, units) } as const;
}

export function duration({ least = 1 } = {}) {
  const error = `must be a time of at least ${least} milliseconds, such as 500, "500ms", "30s", "5m", "2h" or "1d"`;
  const units = ['Milliseconds.', 'With a unit: ms, s, m, h, d.'] as const;
  return { kind: 'duration', type: measure(DURATION_TEXT, parseDurationMs, least, error, units) } as const;
}

export function choice<const Names extends readonly [string, ...string[]]>(names: Names) {
  const error = `must be ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  return { kind: 'text', type: z.enum(names, error) } as const;
}

export function text(what = 'text') {
  const error = `must be ${what}`;
  return { kind: 'text', type: z.string(error).min(1, error) } as const;
}

/** A name as HTTP headers have them; letters become small ones. */
export function headerName() {
  const error = 'must be the name of an HTTP header, such as "x-remote-user"';
  const type = z.string(error).regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, error);
  return { kind: 'text', type: type.transform((name) => name.toLowerCase()) } as const;
}

export function path() {
  const error = 'must be the path of a file or directory';
  const type = z.string(error).min(1, error);
  return { kind: 'path', type: type.refine((name) => !name.includes('\0'), error) } as const;
}

/** @param noun singular, of what the list has */
function list(noun: string, isOne: (item: string) => boolean = (item) => item !== '') {
  return { kind: 'list', type: textList(noun, isOne) } as const;
}

export function textList(noun: string, isOne: (item: string) => boolean) {
  const error = `must be ${noun}`;
  return z.array(z.string(error).refine(isOne, error), `must be a list, and each item ${noun}`);
}

/** Where to listen. */
export function addresses() {
  return list('[host:]port, such as "8080", "127.0.0.1:8080" or "[::1]:8080"', (item) => {
    return parseListenAddress(item) !== undefined;
  });
}

export function networks() {
  return list('an address or a network, such as "10.0.0.0/8" or "::1"', isNetwork);
}

/** Of something asked over HTTP. Never with a password in it: addresses are logged. */
export function webAddress() {
  const error = 'must be an http:// or https:// URL without user name and password';
  const type = z.string(error).refine(isWebAddress, { error, params: MAY_HOLD_A_SECRET });
  return { kind: 'text', type } as const;
}

export function structure<Type extends z.ZodType>(type: Type) {
  return { kind: 'structure', type } as const;
}

function measure(
  pattern: RegExp,
  parse: (text: string) => number | undefined,
  least: number,
  error: string,
  [plain, withUnit]: readonly [string, string],
) {
  const number = z.int(error).min(least, error).meta({ description: plain });
  const text = z.string(error).regex(pattern, error).meta({ description: withUnit });
  return z.union([number, text], error).transform((value, context) => {
    const amount = typeof value === 'number' ? value : parse(value);
    if (amount !== undefined && amount >= least) return amount;
    context.issues.push({ code: 'custom', message: error, input: value });
    return z.NEVER;
  });
}

function isNetwork(item: string): boolean {
  try {
    trustedNetworks([item]);
    return true;
  } catch (error) {
    if (!isGitError(error, 'INVALID_ARGUMENT')) throw error;
    return false;
  }
}

function isWebAddress(item: string): boolean {
  if (!URL.canParse(item)) return false;
  const { protocol, username, password } = new URL(item);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}
