/**
 * Where a value was given, and what is wrong with it.
 *
 * @module
 */

/** One step into a document: the name of a member, or the place in a list. */
export type PathStep = string | number;

/** Where the value of a setting comes from. */
export type Origin =
  | { readonly kind: 'default' }
  /** Line and column count from 1, columns in UTF-16 code units. */
  | { readonly kind: 'file'; readonly path: string; readonly line: number; readonly column: number }
  /** A variable's name. */
  | { readonly kind: 'environment'; readonly name: string }
  /** A flag's name, with its dashes. */
  | { readonly kind: 'flag'; readonly name: string };

export const DEFAULT_ORIGIN: Origin = { kind: 'default' };

/** An `error` makes the configuration unusable; a `warning` is most likely not what was meant. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly origin: Origin;
  /** `access.rules[0].subjects`; empty when it is about the whole. */
  readonly setting: string;
  /** What is wrong and what would be right, in the operator's terms. Never a secret. */
  readonly sentence: string;
}

/** `access.rules[0].subjects` */
export function formatPath(path: readonly PathStep[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const name = /^[\w$-]+$/.test(step) ? step : JSON.stringify(step);
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** `file:line:column`, `$NAME`, `--flag` or `default`. */
export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'file':
      return `${origin.path}:${origin.line}:${origin.column}`;
    case 'environment':
      return `$${origin.name}`;
    case 'flag':
      return origin.name;
    case 'default':
      return 'default';
  }
}

/** One line: where, how bad, about what, why. */
export function formatProblem({ severity, origin, setting, sentence }: Problem): string {
  const place = origin.kind === 'default' ? '' : `${formatOrigin(origin)}: `;
  return `${place}${severity}: ${setting === '' ? '' : `${setting}: `}${sentence}`;
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

/** In the order of the file; what variables and flags say comes first. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => lineOf(a) - lineOf(b) || columnOf(a) - columnOf(b));
}

function lineOf({ origin }: Problem): number {
  return origin.kind === 'file' ? origin.line : 0;
}

function columnOf({ origin }: Problem): number {
  return origin.kind === 'file' ? origin.column : 0;
}
