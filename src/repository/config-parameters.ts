/**
 * Configuration that the environment carries: what `git -c` and its callers say.
 * Spec: git-config(1), "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_<n>"; git(1), `-c`; `GIT_CONFIG_PARAMETERS` is git's own
 * means of handing `-c` on, in two forms: `'key=value'` of old, and `'key'='value'`.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { ConfigEntry } from './git-config.ts';

/** Variables by name, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** More pairs than any environment holds. */
const MAX_COUNT = 100_000;

/**
 * The entries of scope `command`, in git's order.
 *
 * @throws {GitError} INVALID_ARGUMENT for what git refuses too
 */
export function configParameters(environment: Environment): ConfigEntry[] {
  return [...countedPairs(environment), ...quotedPairs(environment.GIT_CONFIG_PARAMETERS ?? '')];
}

function* countedPairs(environment: Environment): Generator<ConfigEntry> {
  const text = environment.GIT_CONFIG_COUNT ?? '';
  const count = text === '' ? 0 : Number(/^\s*\+?(\d+)$/.exec(text)?.[1]);
  if (Number.isNaN(count)) throw bogus(`bogus count in GIT_CONFIG_COUNT: '${text}'`);
  if (count > MAX_COUNT) throw bogus('too many entries in GIT_CONFIG_COUNT');
  for (let i = 0; i < count; i++) {
    const key = environment[`GIT_CONFIG_KEY_${i}`];
    const value = environment[`GIT_CONFIG_VALUE_${i}`];
    if (key === undefined) throw bogus(`missing config key GIT_CONFIG_KEY_${i}`);
    if (value === undefined) throw bogus(`missing config value GIT_CONFIG_VALUE_${i}`);
    yield entryOf(key, value);
  }
}

function* quotedPairs(text: string): Generator<ConfigEntry> {
  for (let at = 0; at < text.length; ) {
    const first = unquote(text, at);
    at = first.end;
    if (isGap(text[at])) {
      const equals = first.value.indexOf('=');
      const key = equals < 0 ? first.value : first.value.slice(0, equals);
      yield entryOf(key, equals < 0 ? undefined : first.value.slice(equals + 1));
    } else if (text[at] === '=') {
      at++;
      let value: string | undefined;
      if (text[at] === "'") {
        const second = unquote(text, at);
        value = second.value;
        at = second.end;
      }
      if (!isGap(text[at])) throw badParameters();
      yield entryOf(first.value, value);
    } else {
      throw badParameters();
    }
    while (at < text.length && isGap(text[at])) at++;
  }
}

/** Between parameters stands white space; the end of the text ends one too. */
function isGap(character: string | undefined): boolean {
  return character === undefined || /[ \t\n\r]/.test(character);
}

/** A word between single quotes, with `'\''` and `'\!'` in it for a quote and a bang, as a shell reads it. */
function unquote(text: string, start: number): { readonly value: string; readonly end: number } {
  if (text[start] !== "'") throw badParameters();
  let value = '';
  for (let at = start + 1; ; ) {
    const close = text.indexOf("'", at);
    if (close < 0) throw badParameters();
    value += text.slice(at, close);
    const [quoted, character] = /^\\(['!])'/.exec(text.slice(close + 1, close + 4)) ?? [];
    if (quoted === undefined || character === undefined) return { value, end: close + 1 };
    value += character;
    at = close + 1 + quoted.length;
  }
}

/** Section and key in lower case, as they are in files; what a file could not say is refused. */
function entryOf(key: string, value: string | undefined): ConfigEntry {
  const [, section, subsection = '', variable] =
    /^([A-Za-z0-9-]*)(\.[^\n]*)?\.([A-Za-z][A-Za-z0-9-]*)$/.exec(key) ?? [];
  if (section === undefined || variable === undefined || key.startsWith('.')) {
    throw bogus(`bogus config parameter: '${key}'`);
  }
  return { name: `${section.toLowerCase()}${subsection}.${variable.toLowerCase()}`, value, scope: 'command' };
}

function badParameters(): GitError {
  return bogus('bogus format in GIT_CONFIG_PARAMETERS');
}

function bogus(what: string): GitError {
  return new GitError('INVALID_ARGUMENT', `Cannot read config of the environment: ${what}`);
}
