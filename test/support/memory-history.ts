/**
 * A little history in memory, made by hand: no git is run.
 *
 * @module
 */
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { hexToBytes, type ObjectId } from '../../src/core/object-id.ts';
import type { ObjectTransaction } from '../../src/odb/object-database.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { memoryRepository } from './memory-repository.ts';

export interface MemoryHistory {
  readonly repository: Repository;
  /** Oldest first, each the parent of the next; `main` is the last of them. */
  readonly commits: readonly ObjectId[];
  /** Trees and blobs of those commits. */
  readonly trees: readonly ObjectId[];
  readonly blobs: readonly ObjectId[];
  /** Points at the last commit; `refs/tags/v1`. */
  readonly tag: ObjectId;
  /** A commit that no ref reaches. */
  readonly stray: ObjectId;
}

/** Five commits on `main`, a tag, and a stray commit. */
export async function memoryHistory(): Promise<MemoryHistory> {
  const repository = memoryRepository();
  const commits: ObjectId[] = [];
  const trees: ObjectId[] = [];
  const blobs: ObjectId[] = [];
  await using writer = await repository.objects.begin();
  for (let i = 0; i < 6; i++) {
    const blob = await writer.writeObject('blob', encodeText(`content ${i}\n`));
    const tree = await writer.writeObject('tree', concatBytes(encodeText('100644 file\0'), hexToBytes(blob)));
    const commit = await writeCommit(writer, tree, commits.slice(-1), 1_700_000_000 + i);
    blobs.push(blob);
    trees.push(tree);
    commits.push(commit);
  }
  const stray = commits.pop() as ObjectId;
  const tip = commits.at(-1) as ObjectId;
  const tag = await writer.writeObject(
    'tag',
    encodeText(`object ${tip}\ntype commit\ntag v1\ntagger A <a@example.com> 1700000009 +0000\n\nv1\n`),
  );
  await writer.commit();
  await repository.refs.update(
    [
      { name: 'refs/heads/main', newId: tip, expected: undefined },
      { name: 'refs/tags/v1', newId: tag, expected: undefined },
    ],
    { atomic: true },
  );
  return { repository, commits, trees, blobs, tag, stray };
}

/** @returns the id of a commit made now and stored with what else `writer` holds */
export function writeCommit(
  writer: ObjectTransaction,
  tree: ObjectId,
  parents: readonly ObjectId[],
  timeSeconds: number,
): Promise<ObjectId> {
  const who = `A <a@example.com> ${timeSeconds} +0000`;
  const parentLines = parents.map((parent) => `parent ${parent}\n`).join('');
  return writer.writeObject(
    'commit',
    encodeText(`tree ${tree}\n${parentLines}author ${who}\ncommitter ${who}\n\nx\n`),
  );
}
