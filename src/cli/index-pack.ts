/**
 * `packwire index-pack`: git-index-pack(1).
 *
 * @module
 */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GitError } from '../core/errors.ts';
import { nodeRuntime } from '../core/node/runtime.ts';
import { shareFile } from '../core/node/shared-permissions.ts';
import { bytesToHex } from '../core/object-id.ts';
import { compareWithStored } from '../odb/stored-copies.ts';
import { type IndexedPack, indexPack } from '../pack/index-pack.ts';
import { createFilePackSink } from '../pack/node/file-pack-sink.ts';
import { createThreadTaskPool } from '../pack/node/thread-task-pool.ts';
import type { TaskPool } from '../pack/task-pool.ts';
import type { Repository } from '../repository/repository.ts';
import { chunksOf } from '../transport/node/byte-streams.ts';
import { checkPack } from './check-pack.ts';
import type { Command, CommandWorld } from './command.ts';
import { type IndexPackJob, indexPathOf, readIndexPackJob } from './index-pack-job.ts';
import { writeText } from './output.ts';
import { openPackFile } from './pack-file.ts';
import { publishPack, temporaryBeside } from './store-pack.ts';
import { reportFindings } from './strict-check.ts';

export const indexPackCommand: Command = {
  name: 'index-pack',
  summary: 'write the index of a pack',
  usage: [
    'index-pack [-v] [-o <index-file>] [--keep[=<msg>]] [--[no-]rev-index] [--verify] <pack-file>',
    'index-pack --stdin [--fix-thin] [-v] [-o <index-file>] [--keep[=<msg>]] [<pack-file>]',
  ],
  description: `
Reads a pack, checks every object in it and writes its index beside it. Prints the pack's id or, with --stdin,
'pack' (or 'keep') and the id.

    --stdin               read the pack from standard input and store it as <pack-file>; without that in the
                          objects/pack of the repository that GIT_DIR names or the working directory is in
    --fix-thin            add the bases a thin pack leaves out, taken from that repository; only with --stdin
    -o <index-file>       write the index there; by default .pack of the pack's name becomes .idx
    --verify              write nothing: compare with the index that is there
    --keep[=<msg>]        put a .keep file beside the pack, which says <msg>
    --[no-]rev-index      whether to write a .rev file as well; the default is pack.writeReverseIndex, or to
    --threads=<n>         threads that resolve deltas; 0 is one per processor; the default is pack.threads, or 0
    --max-input-size=<n>  refuse packs of more bytes
    --no-collision-detection
                          neither look for SHA-1 collision attacks nor compare with the objects
                          that are stored: for packs that you trust
    --object-format=<format>
                          sha1 or sha256; the repository's, or sha1 outside one
    -v, --[no-]progress   show progress, or do not; the default is to on a terminal
    --strict[=<msg-id>=<severity>...], --fsck-objects[=<msg-id>=<severity>...]
                          refuse objects that git fsck --strict finds wrong, or find them as told: ignore,
                          warn or error. Links to objects elsewhere are checked by the push that brings a pack`,

  async run(args, world) {
    const job = await readIndexPackJob(args, world);
    const tasks =
      job.threads === 1 ? undefined : createThreadTaskPool(job.threads === 0 ? {} : { threads: job.threads });
    try {
      if (job.source === 'verify') {
        const { format, limits, onProgress, reverseIndex } = job;
        await checkPack(job.packPath as string, job.indexPath as string, {
          format,
          limits,
          tasks,
          onProgress,
          reverseIndex,
        });
      } else if (job.source === 'file') {
        await indexFile(job, job.packPath as string, tasks, world);
      } else {
        await indexInput(job, tasks, world);
      }
      return 0;
    } finally {
      await job.repository?.[Symbol.asyncDispose]();
      await tasks?.close();
    }
  },
};

async function indexFile(
  job: IndexPackJob,
  packPath: string,
  tasks: TaskPool | undefined,
  world: CommandWorld,
): Promise<void> {
  await using file = await openPackFile(packPath);
  const pack = await indexPack(file.content, {
    format: job.format,
    runtime: nodeRuntime,
    limits: job.limits,
    collisionDetection: job.collisionDetection,
    fsck: job.fsck,
    sink: file.sink,
    tasks,
    onProgress: job.onProgress,
  });
  await reportFindings(job.format, pack, file.sink, world);
  await publishPack(pack, placesOf(job, packPath, undefined));
  await writeText(world.output, `${bytesToHex(pack.checksum)}\n`);
}

async function indexInput(
  job: IndexPackJob,
  tasks: TaskPool | undefined,
  world: CommandWorld,
): Promise<void> {
  const directory = job.packPath === undefined ? packDirectoryOf(job.repository) : dirname(job.packPath);
  await mkdir(directory, { recursive: true });
  const incoming = temporaryBeside(join(directory, 'any'), 'pack');
  try {
    const pack = await receive(job, incoming, tasks, world);
    const id = bytesToHex(pack.checksum);
    const packPath = job.packPath ?? join(directory, `pack-${id}.pack`);
    const kept = await publishPack(pack, placesOf(job, packPath, incoming));
    await writeText(world.output, `${kept ? 'keep' : 'pack'}\t${id}\n`);
  } finally {
    await rm(incoming, { force: true });
  }
}

async function receive(
  job: IndexPackJob,
  path: string,
  tasks: TaskPool | undefined,
  world: CommandWorld,
): Promise<IndexedPack> {
  const sink = await createFilePackSink(path);
  const reader = await job.repository?.objects.openReader();
  try {
    const pack = await indexPack(chunksOf(world.input, { idleTimeoutMs: 0 }), {
      format: job.format,
      runtime: nodeRuntime,
      limits: job.limits,
      collisionDetection: job.collisionDetection,
      fsck: job.fsck,
      sink,
      tasks,
      thinBases:
        reader === undefined || !job.fixThin ? undefined : { read: (ids, at) => reader.readRaw(ids, at) },
      onProgress: job.onProgress,
    });
    await reportFindings(job.format, pack, sink, world);
    if (reader !== undefined && job.collisionDetection) {
      await compareWithStored(pack, sink, { runtime: nodeRuntime, stored: reader });
    }
    shareFile(sink.descriptor, job.shared);
    await sink.sync();
    return pack;
  } finally {
    reader?.release();
    await sink.close();
    world.input.destroy();
  }
}

function placesOf(job: IndexPackJob, packPath: string, incoming: string | undefined) {
  const index = job.indexPath ?? indexPathOf(packPath);
  return {
    incoming: incoming === undefined ? undefined : { path: incoming, to: packPath },
    index,
    shared: job.shared,
    reverseIndex: job.reverseIndex ? reverseIndexPathOf(index) : undefined,
    keep:
      job.keepMessage === undefined
        ? undefined
        : { path: packPath.replace(/\.pack$/, '.keep'), message: job.keepMessage },
  };
}

function reverseIndexPathOf(indexPath: string): string {
  return indexPath.endsWith('.idx') ? indexPath.replace(/\.idx$/, '.rev') : `${indexPath}.rev`;
}

function packDirectoryOf(repository: Repository | undefined): string {
  if (repository?.path === undefined) {
    throw new GitError('REPOSITORY_NOT_FOUND', '--stdin without a pack name requires a git repository');
  }
  return join(repository.path, 'objects', 'pack');
}
