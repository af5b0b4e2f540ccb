import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { SHA1 } from '../../src/core/object-id.ts';
import { type CommitGraph, parseCommitGraph } from '../../src/pack/commit-graph.ts';
import { CommitFields } from '../../src/repository/commit.ts';
import { type Case, sampleNoise } from './case.ts';

const COMMITS = 200_000;
const CHUNKS = ['OIDF', 'OIDL', 'CDAT'];
const ID_BYTES = 20;
const ROW_BYTES = ID_BYTES + 16;

/** What a walk asks of each commit, beside reading the commit, already inflated. */
export function commitGraphCases(): Case[] {
  const ids = sortedIds();
  const bytes = graphOf(ids);
  const open = (): CommitGraph => parseCommitGraph(bytes, { format: SHA1, runtime: nodeRuntime });
  const graph = open();
  const others = sampleNoise(COMMITS * ID_BYTES, 2);
  const fields = new CommitFields(SHA1);
  const commit = new TextEncoder().encode(
    `tree ${'1'.repeat(40)}\nparent ${'2'.repeat(40)}\nauthor A U Thor <a@example.com> 1600000000 +0000\n` +
      'committer A U Thor <a@example.com> 1600000000 +0000\n\nMessage\n',
  );
  const common = { group: 'commit-graph', items: COMMITS, bytes: 0 };
  return [
    { ...common, name: `open, of ${COMMITS}`, bytes: bytes.length, run: open },
    { ...common, name: 'find what is there', run: () => findAll(graph, ids) },
    { ...common, name: 'find what is not', run: () => findAll(graph, others) },
    { ...common, name: 'date, tree, parents, generation', run: () => askAll(graph) },
    {
      ...common,
      name: 'parse a commit instead',
      run: () => {
        for (let i = 0; i < COMMITS; i++) fields.read(commit);
      },
    },
  ];
}

function findAll(graph: CommitGraph, ids: Uint8Array): number {
  let found = 0;
  for (let at = 0; at < ids.length; at += ID_BYTES) if (graph.find(ids, at) >= 0) found++;
  return found;
}

function askAll(graph: CommitGraph): number {
  const tree = new Uint8Array(ID_BYTES);
  let sum = 0;
  for (let position = 0; position < graph.commitCount; position++) {
    graph.copyTreeId(position, tree, 0);
    sum += graph.dateOf(position) + graph.generationOf(position);
    const count = graph.parentCountOf(position);
    for (let n = 0; n < count; n++) sum += graph.parentOf(position, n);
  }
  return sum;
}

/** All different: the number of a commit stands in the first bytes, evenly spread. */
function sortedIds(): Uint8Array {
  const ids = sampleNoise(COMMITS * ID_BYTES);
  const view = new DataView(ids.buffer);
  for (let i = 0; i < COMMITS; i++) view.setUint32(ID_BYTES * i, Math.floor((i * 0x100000000) / COMMITS));
  return ids;
}

/** One line of history, in the order of the ids. */
function graphOf(ids: Uint8Array): Uint8Array {
  const sizes = [1024, ids.length, COMMITS * ROW_BYTES];
  const tableEnd = 8 + 12 * (CHUNKS.length + 1);
  const bytes = new Uint8Array(tableEnd + sizes.reduce((sum, size) => sum + size) + ID_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('CGPH'));
  bytes.set([1, 1, CHUNKS.length, 0], 4);
  const starts: number[] = [];
  let start = tableEnd;
  for (const [row, id] of [...CHUNKS, '\0\0\0\0'].entries()) {
    bytes.set(new TextEncoder().encode(id), 8 + 12 * row);
    view.setUint32(8 + 12 * row + 8, start);
    starts.push(start);
    start += sizes[row] ?? 0;
  }
  const [fanoutAt = 0, idsAt = 0, rowsAt = 0] = starts;
  bytes.set(ids, idsAt);
  for (let i = 0; i < COMMITS; i++) {
    for (let byte = ids[ID_BYTES * i] as number; byte < 256; byte++)
      view.setUint32(fanoutAt + 4 * byte, i + 1);
    const at = rowsAt + ROW_BYTES * i + ID_BYTES;
    view.setUint32(at, i === 0 ? 0x70000000 : i - 1);
    view.setUint32(at + 4, 0x70000000);
    view.setUint32(at + 8, (i + 1) * 4);
    view.setUint32(at + 12, 1_600_000_000 + i);
  }
  nodeRuntime.hashInto(SHA1, bytes, 0, bytes.length - ID_BYTES, bytes, bytes.length - ID_BYTES);
  return bytes;
}
