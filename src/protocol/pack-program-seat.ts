/**
 * An answer whose pack another program makes, which is called as git calls its pack-objects. Nothing of it is shared:
 * such programs keep answers themselves.
 * Spec: git-config(1), "uploadpack.packObjectsHook"; upload-pack's own call where that is silent.
 *
 * @module
 */
import { bytesToHex, type ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { CommitFields } from '../repository/commit.ts';
import { formatObjectFilter } from '../repository/format-filter.ts';
import type { PackProgram } from '../repository/pack-program.ts';
import type { AnswerSeat } from '../repository/pack-sharing/shared-answer.ts';
import type { PackChunk } from '../repository/pack-sharing/write-alone.ts';
import type { PackOrder } from './pack-order.ts';

/**
 * @param say takes what the program prints for the user's terminal
 * @param allowsMissing objects the client will get from promisor remotes may be missing here
 */
export function packProgramSeat(
  program: PackProgram,
  reader: ObjectReader,
  order: PackOrder,
  say: (text: string) => void,
  allowsMissing: boolean,
): AnswerSeat {
  const input = [...revisions(order, reader)];
  const args = programArguments(order, allowsMissing);
  return {
    leftOut: async () => [],
    async *pack({ signal }): AsyncGenerator<PackChunk, undefined> {
      yield* program({ args, input, onMessage: say, signal });
    },
    [Symbol.dispose]: () => {},
  };
}

function programArguments(order: PackOrder, allowsMissing: boolean): string[] {
  const isShallow = shallowCommits(order).length > 0;
  return [
    ...(isShallow ? ['--shallow-file', ''] : []),
    'pack-objects',
    '--revs',
    ...(order.thinPack ? ['--thin'] : []),
    '--stdout',
    ...(isShallow ? ['--shallow'] : []),
    ...(order.noProgress ? [] : ['--progress']),
    ...(order.ofsDelta ? ['--delta-base-offset'] : []),
    ...(order.includeTag ? ['--include-tag'] : []),
    ...(allowsMissing ? ['--missing=allow-promisor'] : []),
    ...(order.filter === undefined ? [] : [`--filter=${formatObjectFilter(order.filter)}`]),
  ];
}

/**
 * The boundary of this answer and that of the client, and where the history of the repository itself ends. Commits that
 * are not shallow any more are among them: git names them too, and what was hidden behind them as wanted.
 */
function shallowCommits({ shallow: { selection } }: PackOrder): ObjectId[] {
  return [...new Set([...(selection.shallow ?? []), ...(selection.clientShallow ?? [])])];
}

/** What git's pack-objects is told on standard input. */
function* revisions(order: PackOrder, reader: ObjectReader): Generator<string> {
  const { unshallow = [] } = order.shallow.selection;
  for (const id of shallowCommits(order)) yield `--shallow ${id}\n`;
  for (const id of order.wants) yield `${id}\n`;
  for (const id of unshallow) for (const parent of parentsOf(id, reader)) yield `${parent}\n`;
  yield '--not\n';
  for (const id of order.haves) yield `${id}\n`;
  for (const id of unshallow) yield `${id}\n`;
  yield '\n';
}

function* parentsOf(id: ObjectId, reader: ObjectReader): Generator<string> {
  const commit = reader.read(id);
  if (commit?.kind !== 'commit') return;
  const fields = new CommitFields(reader.format);
  fields.read(commit.data);
  const { idBytes } = reader.format;
  for (let i = 0; i < fields.parentCount; i++) yield bytesToHex(fields.parentIds, i * idBytes, idBytes);
}
