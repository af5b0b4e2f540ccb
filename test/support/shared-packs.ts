/**
 * Clients that share answers, for tests: a repository on disk whose packs need to be put aside or not, and
 * clients that take one chunk at a time.
 *
 * @module
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import type { Progress } from '../../src/core/byte-stream.ts';
import { concatBytes } from '../../src/core/bytes.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/core/limits.ts';
import type { ObjectReader } from '../../src/odb/object-database.ts';
import { openRepository } from '../../src/repository/node/open-repository.ts';
import type { PackSharing } from '../../src/repository/pack-sharing/pack-sharing.ts';
import type { AnswerSeat } from '../../src/repository/pack-sharing/shared-answer.ts';
import type { PackChunk } from '../../src/repository/pack-sharing/write-alone.ts';
import { CHUNK_BYTES, HEADROOM_BYTES } from '../../src/repository/pack-writing/pack-output.ts';
import type { PackWritingResult } from '../../src/repository/pack-writing/write-pack.ts';
import type { Repository } from '../../src/repository/repository.ts';
import type { SelectionRequest } from '../../src/repository/select-objects.ts';
import { git, scratchDirectory } from './git.ts';

/** `packed`: all of a clone is one stored pack. `partly`: most of one. `loose`: everything is encoded anew. */
export type Layout = 'packed' | 'partly' | 'loose';

export interface SharingScene {
  readonly directory: string;
  readonly repository: Repository;
  /** A clone of `main`, of some 1.5 MB. */
  readonly request: SelectionRequest;
  /** How often objects were chosen: snapshots opened for that. */
  choices(): number;
  /** While set, choosing waits for it; it may reject. */
  hold(until: Promise<void> | undefined): void;
  /** The signal of the last choice. */
  lastSignal(): AbortSignal | undefined;
}

/** @param own a directory of its own, for a test that changes what is in it */
export async function sharingScene(
  t: TestContext,
  layout: Layout,
  { own = false }: { readonly own?: boolean } = {},
): Promise<SharingScene> {
  const directory = own ? await copyOf(t, directoryOf(layout)) : directoryOf(layout);
  const opened = await openRepository(directory);
  t.after(() => opened[Symbol.asyncDispose]());

  let choices = 0;
  let hold: Promise<void> | undefined;
  let lastSignal: AbortSignal | undefined;
  const { objects } = opened;
  const watched: Repository = {
    ...opened,
    objects: {
      format: objects.format,
      begin: (options) => objects.begin(options),
      close: () => objects.close(),
      async openReader(options): Promise<ObjectReader> {
        choices++;
        lastSignal = options?.signal;
        await hold;
        return objects.openReader(options);
      },
    },
  };
  return {
    directory,
    repository: watched,
    request: {
      wants: [git(directory, 'rev-parse', 'main').trim()],
      haves: [],
      thin: true,
    },
    choices: () => choices,
    hold: (until) => {
      hold = until;
    },
    lastSignal: () => lastSignal,
  };
}

const root = mkdtempSync(join(tmpdir(), 'packwire-sharing-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** Made when first asked for. */
function directoryOf(layout: Layout): string {
  const work = join(root, layout);
  const directory = join(work, '.git');
  if (existsSync(work)) return directory;
  mkdirSync(work);
  git(work, 'init', '-q', '-b', 'main');
  for (let n = 0; n < 24; n++)
    writeFileSync(join(work, `file${n}`), noise(n, n % 3 === 0 ? 140_000 : 20_000));
  git(work, 'add', '.');
  git(work, 'commit', '-q', '-m', 'one');
  git(work, 'checkout', '-q', '-b', 'side');
  writeFileSync(join(work, 'file3'), noise(100, 50_000));
  git(work, 'commit', '-q', '-a', '-m', 'side');
  if (layout === 'packed') git(work, 'branch', '-q', '-f', 'main', 'side');
  if (layout !== 'loose') git(work, 'repack', '-q', '-a', '-d');
  return directory;
}

async function copyOf(t: TestContext, directory: string): Promise<string> {
  const copy = join(await scratchDirectory(t), '.git');
  cpSync(directory, copy, { recursive: true });
  return copy;
}

/** Bytes that do not compress, the same for each `seed`. */
function noise(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 2_654_435_761 + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export interface ClientOptions {
  readonly request?: SelectionRequest;
  readonly limits?: Partial<Limits>;
  /** Take frames, as clients with side-band-64k do. */
  readonly framed?: boolean;
}

/** One who takes part, and takes a chunk when told to. */
export class SharingClient {
  readonly progress: Progress[] = [];
  result: PackWritingResult | undefined;
  readonly #stop = new AbortController();
  readonly #seat: AnswerSeat;
  readonly #pack: AsyncGenerator<PackChunk, undefined>;
  readonly #chunks: Uint8Array[] = [];
  isDone = false;

  constructor(sharing: PackSharing, scene: SharingScene, { request, limits, framed }: ClientOptions = {}) {
    const asked = request ?? scene.request;
    this.#seat = sharing.join(
      scene.repository,
      JSON.stringify([asked, limits]),
      asked,
      { limits: { ...DEFAULT_LIMITS, ...limits }, ofsDelta: true },
      (progress) => this.progress.push(progress),
    );
    this.#pack = this.#seat.pack({
      signal: this.#stop.signal,
      framed,
      onResult: (result) => {
        this.result = result;
      },
    });
  }

  /** Take one chunk. @returns false at the end, which gives the seat back */
  async take(): Promise<boolean> {
    if (this.isDone) return false;
    try {
      const { done, value } = await this.#pack.next();
      if (value !== undefined) this.#chunks.push(...payloadsOf(value));
      this.isDone = done === true;
    } catch (error) {
      this.isDone = true;
      throw error;
    } finally {
      if (this.isDone) this.#seat[Symbol.dispose]();
    }
    return !this.isDone;
  }

  async takeAll(): Promise<Uint8Array> {
    while (await this.take());
    return concatBytes(...this.#chunks);
  }

  /** What it has got so far. */
  get bytes(): Uint8Array {
    return concatBytes(...this.#chunks);
  }

  /** Go away, whatever is under way. */
  async leave(): Promise<void> {
    this.isDone = true;
    this.#stop.abort();
    await this.#pack.return(undefined);
    this.#seat[Symbol.dispose]();
  }
}

function payloadsOf(chunk: PackChunk): Uint8Array[] {
  if (chunk instanceof Uint8Array) return [chunk.slice()];
  const payloads: Uint8Array[] = [];
  for (let at = 0; at < chunk.frames.length; at += HEADROOM_BYTES + CHUNK_BYTES) {
    payloads.push(chunk.frames.slice(at + HEADROOM_BYTES, at + HEADROOM_BYTES + CHUNK_BYTES));
    chunk.frames.fill(0xff, at, at + HEADROOM_BYTES); // whoever frames it may
  }
  return payloads;
}
