import { inventName } from '../../fixtures/file-content.ts';
import { Random } from '../../fixtures/random.ts';
import { directoryNameHash, packNameHash } from '../../src/repository/name-hash.ts';
import { TreeEntry } from '../../src/repository/tree.ts';
import { TreeScanner } from '../../src/repository/tree-scanner.ts';
import { type Case, sampleNoise } from './case.ts';

const ID_BYTES = 20;
const VERSIONS = 50;

/** Trees as a walk of history meets them: one directory again and again, an entry changed each time. */
export function treeCases(): Case[] {
  return [10, 100, 1000].flatMap((entries) => {
    const versions = treeVersions(entries);
    const bytes = versions.reduce((sum, tree) => sum + tree.length, 0);
    const common = { group: 'tree', items: VERSIONS * entries, bytes };
    const entry = new TreeEntry(ID_BYTES);
    const hashes = new Uint32Array(1); // kept, so that no compiler finds the work useless
    const forEach = (work: (tree: Uint8Array) => void) => () => {
      for (const tree of versions) work(tree);
    };
    return [
      {
        ...common,
        name: `read ${entries} entries`,
        run: forEach((tree) => {
          for (let at = 0; at < tree.length; ) at = entry.read(tree, at, tree.length);
        }),
      },
      {
        ...common,
        name: `read ${entries} entries and hash their names`,
        run: forEach((tree) => {
          const directory = directoryNameHash(1);
          for (let at = 0; at < tree.length; ) {
            at = entry.read(tree, at, tree.length);
            hashes[0]! ^= packNameHash(tree, entry.nameStart, entry.nameEnd, directory);
          }
        }),
      },
      {
        ...common,
        name: `scan against the version before, ${entries} entries`,
        run: () => {
          const scanner = new TreeScanner(ID_BYTES);
          for (const tree of versions) scanner.scan(tree, 0, tree.length, 1, 1);
        },
      },
    ];
  });
}

function treeVersions(entries: number): Uint8Array[] {
  const random = new Random(1);
  const names = new Set<string>();
  while (names.size < entries) names.add(`${inventName(random)}${inventName(random)}.ts`);
  const ids = sampleNoise(entries * ID_BYTES);
  return Array.from({ length: VERSIONS }, () => {
    ids[random.below(ids.length)] = random.below(256);
    return Buffer.concat(
      [...names]
        .sort()
        .flatMap((name, i) => [
          Buffer.from(`100644 ${name}\0`, 'latin1'),
          ids.subarray(i * ID_BYTES, (i + 1) * ID_BYTES),
        ]),
    );
  });
}
