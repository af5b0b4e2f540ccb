/**
 * Repositories of random shape, built by `git fast-import`: merges, several roots, files that move, come back and
 * exist twice, whole directories alike, gitlinks, tags of everything, and clocks that may be wrong.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { ObjectId } from '../../src/core/object-id.ts';
import { git } from './git.ts';

const PATHS = [
  'f',
  'g',
  'long name.txt',
  'd/f',
  'd/g',
  'd/e/f',
  'd/e/h/f',
  'x/f',
  'x/e/f',
  'x/e/h/f',
  'z/f/f',
];

export interface PlannedCommit {
  /** How many commits before this one each parent is; those that would be before the first are left out. */
  readonly parents: readonly number[];
  /** Seconds away from a clock that goes a minute a commit. */
  readonly skew: number;
  readonly changes: readonly { readonly path: string; readonly content: number | undefined }[];
  readonly gitlink: boolean;
  readonly tagged: boolean;
}

export interface History {
  readonly directory: string;
  readonly commits: readonly ObjectId[];
  readonly tags: readonly ObjectId[];
}

const START = 1_600_000_000;

/** @param skew the most seconds a commit's date may be off; a minute separates commits */
export function anyHistory(commitCount: number, skew = 0): fc.Arbitrary<readonly PlannedCommit[]> {
  return fc.array(
    fc.record({
      parents: fc.oneof(
        { weight: 6, arbitrary: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }) },
        { weight: 1, arbitrary: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 3 }) },
      ),
      skew: fc.integer({ min: -skew, max: skew }),
      changes: fc.array(
        fc.record({
          path: fc.constantFrom(...PATHS),
          content: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined, freq: 4 }),
        }),
        { maxLength: 3 },
      ),
      gitlink: fc.boolean(),
      tagged: fc.nat(5).map((n) => n === 0),
    }),
    { minLength: commitCount, maxLength: commitCount },
  );
}

/** Make the repository in an empty directory. */
export function buildHistory(directory: string, plan: readonly PlannedCommit[]): History {
  git(directory, 'init', '-q', '--bare', '.');
  const script: string[] = [];
  for (const [number, commit] of plan.entries()) script.push(commitCommands(number, commit));
  for (const [number, commit] of plan.entries()) if (commit.tagged) script.push(tagCommands(number));
  git({ cwd: directory, input: script.join('') }, 'fast-import', '--quiet', '--export-marks=marks');

  const ids = new Map<number, ObjectId>();
  for (const line of readFileSync(join(directory, 'marks'), 'utf8').trim().split('\n')) {
    const [mark = '', id = ''] = line.slice(1).split(' ');
    ids.set(Number(mark), id);
  }
  const tags = git(directory, 'for-each-ref', '--format=%(objectname)', 'refs/tags')
    .split('\n')
    .filter(Boolean);
  return { directory, commits: plan.map((_, number) => ids.get(number + 1) as ObjectId), tags };
}

function commitCommands(number: number, commit: PlannedCommit): string {
  const lines = [
    `commit refs/heads/c${number}`,
    `mark :${number + 1}`,
    `committer A U Thor <a@example.com> ${START + 60 * number + commit.skew} +0100`,
    `data <<E\nCommit ${number}\nE`,
  ];
  const parents = [...new Set(commit.parents.map((back) => number - back))].filter((parent) => parent >= 0);
  for (const [i, parent] of parents.entries()) lines.push(`${i === 0 ? 'from' : 'merge'} :${parent + 1}`);
  for (const { path, content } of commit.changes) {
    lines.push(
      content === undefined
        ? `D "${path}"`
        : `M 100644 inline "${path}"\ndata <<E\n${`${content}\n`.repeat(3 * content)}E`,
    );
  }
  if (commit.gitlink) lines.push(`M 160000 ${String(number % 10).repeat(40)} d/module`);
  return `${lines.join('\n')}\n\n`;
}

/** An annotated tag, and every other time a tag of the tag. */
function tagCommands(number: number): string {
  const tag = (name: string, target: string, mark: number): string =>
    `tag ${name}\nmark :${mark}\nfrom ${target}\ntagger A <a@example.com> ${START + 60 * number} +0000\ndata 0\n`;
  const mark = 10_000 + 2 * number;
  const first = tag(`t${number}`, `:${number + 1}`, mark);
  return number % 2 === 0 ? first : first + tag(`tt${number}`, `:${mark}`, mark + 1);
}
