/**
 * Reading command lines: options as node:util's parseArgs knows them, errors as ours, and the values git users write.
 *
 * @module
 */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { GitError, isGitError } from '../core/errors.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<Known extends Options> = ReturnType<
  typeof parseArgs<{ options: Known; allowPositionals: true; allowNegative: true; strict: true }>
>;

/**
 * Options and positional arguments. `--no-<name>` unsets a flag; options may stand anywhere.
 *
 * @param optionalValues options whose value may be left out (`--keep` for `--keep=`); the empty text then
 * @throws {GitError} INVALID_ARGUMENT, which {@link isUsageError} knows
 */
export function readArguments<const Known extends Options>(
  args: readonly string[],
  options: Known,
  optionalValues: readonly string[] = [],
): Parsed<Known> {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const isBare = (arg: string, at: number): boolean =>
    at < end && optionalValues.some((name) => arg === `--${name}`);
  const complete = args.map((arg, at) => (isBare(arg, at) ? `${arg}=` : arg));
  try {
    return parseArgs({ args: complete, options, allowPositionals: true, allowNegative: true, strict: true });
  } catch (error) {
    // parseArgs says what the user wrote wrongly with a TypeError of a documented code.
    if (error instanceof TypeError && String(codeOf(error)).startsWith('ERR_PARSE_ARGS_')) {
      throw usageError((error.message.split('. ')[0] as string).replace(/\.$/, ''), error);
    }
    throw error;
  }
}

/** The failure that is answered with the usage. */
export function usageError(message: string, cause?: unknown): GitError {
  return new GitError('INVALID_ARGUMENT', message, { usage: 1 }, cause);
}

export function isUsageError(error: unknown): error is GitError {
  return isGitError(error, 'INVALID_ARGUMENT') && error.detail.usage === 1;
}

/** @throws {GitError} a usage error unless `text` is a whole number of at least `least` */
export function readCount(text: string, option: string, least = 0): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < least) {
    throw usageError(`Option '--${option}' wants a number of at least ${least}, got '${text}'`);
  }
  return count;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** A number of bytes as git reads them: `500`, `10k`, `2m`, `1g`. @throws {GitError} a usage error */
export function readSizeBytes(text: string, option: string): number {
  const [, digits, unit] = /^(\d+)([kmg]?)$/i.exec(text) ?? [];
  const sizeBytes = Number(digits) * (UNITS[(unit ?? '').toLowerCase()] as number);
  if (digits === undefined || !Number.isSafeInteger(sizeBytes)) {
    throw usageError(`Option '--${option}' wants a size such as 500, 10k, 2m or 1g, got '${text}'`);
  }
  return sizeBytes;
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined;
}
