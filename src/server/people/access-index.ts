/**
 * An access file, read and indexed.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { inOneGo, inTurns, type Steps } from '../../core/steps.ts';
import { JsonDocument } from '../config/json-document.ts';
import { formatPath, hasErrors, inOrder, type Problem } from '../config/problem.ts';
import { type AccessIndex, AccessIndexBuilder } from './access-index-builder.ts';
import { slicesOf } from './access-slices.ts';

export interface ParsedAccessFile {
  /** `undefined` when it has errors. */
  readonly index: AccessIndex | undefined;
  /** What is written, with members nobody knows. */
  readonly value: unknown;
  /** The first {@link MAX_PROBLEMS}. */
  readonly problems: readonly Problem[];
}

/** Whoever has so many slips has more to do than to read of them all. */
const MAX_PROBLEMS = 50;

/** @param path of the file, for places */
export function parseAccessFile(path: string, text: string): ParsedAccessFile {
  return inOneGo(parseInSteps(path, text, true));
}

/**
 * As {@link parseAccessFile}, for a running server: a few milliseconds at a time. Warnings, whose places would cost
 * more than everything else, are left out.
 */
export async function parseAccessFileInTurns(path: string, text: string): Promise<ParsedAccessFile> {
  return await inTurns(parseInSteps(path, text, false));
}

function* parseInSteps(path: string, text: string, warns: boolean): Steps<ParsedAccessFile> {
  const whole = parseCanonical(text);
  yield;
  const document = whole === undefined ? new JsonDocument(path, text) : undefined;
  if (document !== undefined && document.problems.length > 0) {
    return { index: undefined, value: undefined, problems: document.problems };
  }
  const value = whole ?? document?.value;
  const index = new AccessIndexBuilder();
  for (const slice of slicesOf(value)) {
    yield;
    index.add(slice);
  }
  const findings = index.findings
    .filter(({ severity }) => warns || severity === 'error')
    .slice(0, MAX_PROBLEMS);
  if (findings.length === 0) return { index: index.finish(), value, problems: [] };
  const places = document ?? new JsonDocument(path, text); // places cost much, and mostly nobody asks for them
  const problems = findings.map(({ severity, path: at, sentence, unknown }): Problem => {
    const origin = unknown === undefined ? places.nearestOrigin(at) : places.originOfName(at, unknown);
    return { severity, origin, setting: formatPath(at), sentence };
  });
  return { index: hasErrors(problems) ? undefined : index.finish(), value, problems: inOrder(problems) };
}

/** @throws {GitError} INVALID_ARGUMENT with a line for each error */
export function accessFileError(path: string, problems: readonly string[]): GitError {
  const lines = problems.map((problem) => `\n  ${problem}`).join('');
  return new GitError('INVALID_ARGUMENT', `Cannot use access file:${lines}`, { path });
}

/**
 * The value of text that is written as we write it. Nothing is there twice then, so that nothing is lost by reading it
 * the fast way.
 */
function parseCanonical(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return formatAccessFile(value) === text ? value : undefined;
  } catch (error) {
    // Comments, or worse, or nested too deeply to be written again: the other way says what.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** How an access file is written. */
export function formatAccessFile(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
