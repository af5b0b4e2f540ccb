/**
 * The arguments of `git archive --remote`, read as git reads them: options anywhere, abbreviated as long as they are
 * unambiguous, with a value behind `=` or in the next argument.
 * Spec: git-archive(1), gitcli(7).
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { parseTime } from './parse-time.ts';

/** Texts have a character a byte. */
export type ArchiveRequest =
  | { readonly kind: 'list' }
  | {
      readonly kind: 'archive';
      /** The last one asked for; `undefined` is tar. */
      readonly format: string | undefined;
      readonly prefix: string;
      /** `-0`, `-9`: `undefined` leaves it to the format. */
      readonly level: number | undefined;
      readonly mtimeSeconds: number | undefined;
      /** Whether the path of each entry is to be told. */
      readonly isVerbose: boolean;
      readonly treeish: string;
      readonly paths: readonly string[];
    };

/** Those that take a value, and flags. */
const LONG_OPTIONS: ReadonlyMap<string, 'value' | 'flag'> = new Map([
  ['format', 'value'],
  ['prefix', 'value'],
  ['add-file', 'value'],
  ['add-virtual-file', 'value'],
  ['output', 'value'],
  ['worktree-attributes', 'flag'],
  ['verbose', 'flag'],
  ['mtime', 'value'],
  ['list', 'flag'],
  ['remote', 'value'],
  ['exec', 'value'],
]);

const USAGE = 'usage: git archive [<options>] <tree-ish> [<path>...]';

class Options {
  readonly values = new Map<string, string>();
  readonly flags = new Set<string>();
  readonly positionals: string[] = [];
  level: number | undefined;
}

/** @throws {GitError} PROTOCOL_VIOLATION for what git does not take from remote clients; UNSUPPORTED */
export function parseArchiveRequest(args: readonly string[]): ArchiveRequest {
  const options = readOptions(args);
  const { values, flags, positionals } = options;
  if (values.has('remote')) throw refused('Unexpected option --remote');
  if (values.has('exec')) throw refused("the option '--exec' requires '--remote'");
  if (values.has('output')) throw refused('Unexpected option --output');
  if (values.has('add-file') || values.has('add-virtual-file')) {
    throw refused("options '--add-file' and '--remote' cannot be used together");
  }
  if (flags.has('worktree-attributes')) throw refused('Unexpected option --worktree-attributes');
  if (flags.has('list')) {
    if (positionals.length > 0) throw refused(`extra command line parameter '${positionals[0]}'`);
    return { kind: 'list' };
  }
  const [treeish, ...paths] = positionals;
  if (treeish === undefined) throw refused(USAGE);
  const mtime = values.get('mtime');
  return {
    kind: 'archive',
    format: values.get('format'),
    prefix: values.get('prefix') ?? '',
    level: options.level,
    mtimeSeconds: mtime === undefined ? undefined : parseTime(mtime),
    isVerbose: flags.has('verbose'),
    treeish,
    paths,
  };
}

function readOptions(args: readonly string[]): Options {
  const options = new Options();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === '--' || arg === '--end-of-options') {
      options.positionals.push(...args.slice(i + 1));
      break;
    }
    if (arg.startsWith('--')) i += readLong(arg.slice(2), args[i + 1], options);
    else if (arg.startsWith('-') && arg !== '-') i += readShort(arg.slice(1), args[i + 1], options);
    else options.positionals.push(arg);
  }
  return options;
}

/** @returns how many arguments behind it belong to it */
function readLong(text: string, next: string | undefined, options: Options): number {
  const equals = text.indexOf('=');
  const written = equals < 0 ? text : text.slice(0, equals);
  const isNegated = written.startsWith('no-') && written !== 'no-mtime';
  const name = wholeName(isNegated ? written.slice('no-'.length) : written);
  if (name === undefined) throw refused(`unknown option \`${text}'`);
  const attached = equals < 0 ? undefined : text.slice(equals + 1);
  if (isNegated || LONG_OPTIONS.get(name) === 'flag') {
    if (attached !== undefined) throw refused(`option \`${written}' takes no value`);
    if (isNegated) {
      options.values.delete(name);
      options.flags.delete(name);
    } else options.flags.add(name);
    return 0;
  }
  const value = attached ?? next;
  if (value === undefined) throw refused(`option \`${name}' requires a value`);
  options.values.set(name, value);
  return attached === undefined ? 1 : 0;
}

/** The one option that `written` begins. */
function wholeName(written: string): string | undefined {
  if (LONG_OPTIONS.has(written)) return written;
  const begun = written === '' ? [] : [...LONG_OPTIONS.keys()].filter((name) => name.startsWith(written));
  return begun.length === 1 ? begun[0] : undefined;
}

function readShort(letters: string, next: string | undefined, options: Options): number {
  for (let i = 0; i < letters.length; i++) {
    const letter = letters[i];
    const digits = /^\d+/.exec(letters.slice(i))?.[0];
    if (digits !== undefined) {
      options.level = Number(digits);
      i += digits.length - 1;
    } else if (letter === 'v') options.flags.add('verbose');
    else if (letter === 'l') options.flags.add('list');
    else if (letter === 'o') {
      const rest = letters.slice(i + 1);
      options.values.set('output', rest === '' ? (next ?? '') : rest);
      return rest === '' ? 1 : 0;
    } else throw refused(`unknown switch \`${letter}'`);
  }
  return 0;
}

function refused(message: string): GitError {
  return new GitError('PROTOCOL_VIOLATION', message);
}
