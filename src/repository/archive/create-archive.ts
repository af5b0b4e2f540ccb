/**
 * An archive of one tree as a stream: what `git archive` makes.
 * Spec: git-archive(1).
 *
 * Memory does not grow with the tree or its files: blobs above a size are streamed from the store, and nothing is read
 * ahead of what the reader of the archive takes.
 *
 * @module
 */
import type { ByteStream, Cancellable } from '../../core/byte-stream.ts';
import { decodeText, encodeLatin1, encodeText } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { CommitFields } from '../commit.ts';
import type { Repository } from '../repository.ts';
import { type ArchiveFormat, archiveFormats, chooseFormat } from './archive-formats.ts';
import { ArchiveOutput } from './archive-output.ts';
import type { ArchiveRequest } from './archive-request.ts';
import { type ArchiveEntry, type ArchiveWriter, isDirectory, isSymbolicLink } from './archive-writer.ts';
import { ArchivedTree, type TreeMember } from './archived-tree.ts';
import type { AttributeValue } from './attributes.ts';
import { expandFormats, type FormatSubject } from './expand-format.ts';
import { findTreeish, type Treeish } from './find-treeish.ts';
import { formatSubject } from './format-subject.ts';
import { gzip } from './gzip.ts';
import { Pathspec } from './pathspec.ts';
import { TarWriter } from './tar-writer.ts';
import {
  convertText,
  type LineEndDefaults,
  lineEndDefaults,
  type TextConversion,
} from './text-conversion.ts';
import { ZipWriter } from './zip-writer.ts';

/** Runs a program of the configuration between two streams; see `tar.<format>.command`. */
export type RunArchiveFilter = (command: string, input: ByteStream, options: Cancellable) => ByteStream;

export interface CreateArchiveOptions extends Cancellable {
  readonly limits: Limits;
  /** Any object may be named. Default: `uploadarchive.allowUnreachable`, false where that is not set. */
  readonly allowUnreachable?: boolean | undefined;
  /** Refs that cannot be named. */
  readonly isHidden: (refName: string) => boolean;
  /** Without it, formats that need programs do not exist. */
  readonly runFilter?: RunArchiveFilter | undefined;
  /** What `tar.umask=user` stands for. Default 0022. */
  readonly userUmask?: number | undefined;
  /** Told of each path, as it is written, if the request is verbose. */
  readonly onPath?: ((path: string) => void) | undefined;
}

/** Blobs above this are streamed. */
const MAX_HELD_BYTES = 256 * 1024;
/** Files above this are archived as they are, whatever their attributes say. */
const MAX_CONVERTED_BYTES = 16 * 1024 * 1024;
const DEFAULT_USER_UMASK = 0o022;
const NO_BYTES = new Uint8Array(0);

/**
 * The names of the formats or the archive, as asked for.
 *
 * @throws {GitError} PROTOCOL_VIOLATION, NOT_OUR_REF, UNSUPPORTED in git's words; LIMIT_EXCEEDED; OBJECT_MISSING; OBJECT_CORRUPT;
 * ABORTED
 */
export async function* createArchive(
  repository: Repository,
  request: ArchiveRequest,
  options: CreateArchiveOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const formats = archiveFormats(repository.config, options.runFilter !== undefined);
  if (request.kind === 'list') {
    yield encodeText(formats.map(({ name }) => `${name}\n`).join(''));
    return;
  }
  const format = chooseFormat(formats, request.format, request.level);
  const reader = await repository.objects.openReader({ signal: options.signal });
  try {
    const treeish = await findTreeish(repository, reader, request.treeish, {
      isHidden: options.isHidden,
      allowUnreachable:
        options.allowUnreachable ?? repository.config?.getBoolean('uploadarchive.allowunreachable') ?? false,
      signal: options.signal,
    });
    const archiver = new Archiver(repository, reader, treeish, request, options);
    yield* await archiver.run(format);
  } finally {
    reader.release();
  }
}

type ArchiveOrder = Extract<ArchiveRequest, { kind: 'archive' }>;

/** One archive in the making. */
class Archiver {
  readonly #repository: Repository;
  readonly #reader: ObjectReader;
  readonly #treeish: Treeish;
  readonly #request: ArchiveOrder;
  readonly #options: CreateArchiveOptions;
  readonly #pace: Pace;
  readonly #lineEnds: LineEndDefaults;
  /** Made for the first file that asks for it: names of refs may be many. */
  #subject: Promise<FormatSubject> | undefined;

  constructor(
    repository: Repository,
    reader: ObjectReader,
    treeish: Treeish,
    request: ArchiveOrder,
    options: CreateArchiveOptions,
  ) {
    this.#repository = repository;
    this.#reader = reader;
    this.#treeish = treeish;
    this.#request = request;
    this.#options = options;
    this.#pace = new Pace(options.signal);
    this.#lineEnds = lineEndDefaults(repository.config);
  }

  async run(format: ArchiveFormat): Promise<ByteStream> {
    await this.#checkPaths();
    const { commitId } = this.#treeish;
    const output = new ArchiveOutput(this.#options.limits.maxArchiveBytes);
    const tree = await this.#openTree(new Pathspec(this.#request.paths));
    const timeSeconds = this.#request.mtimeSeconds ?? this.#commitTime() ?? Math.floor(Date.now() / 1000);
    const { runtime } = this.#repository;
    const level = this.#request.level ?? -1;
    if (format.kind === 'zip') {
      const isBinary = (entry: ArchiveEntry) => this.#isBinary((entry as TreeMember).diff);
      const writer = new ZipWriter(output, { timeSeconds, commitId, level, runtime, isBinary });
      return this.#write(tree, writer, output);
    }
    const writer = new TarWriter(output, { timeSeconds, commitId, umask: this.#umask() });
    const tar = this.#write(tree, writer, output);
    if (format.kind !== 'filter') return format.kind === 'tar' ? tar : gzip(runtime, tar, level);
    const command = level < 0 ? format.command : `${format.command} -${level}`;
    const { runFilter, signal } = this.#options;
    return (runFilter as RunArchiveFilter)(command, tar, { signal });
  }

  /** Each path must lead to something, as for git. */
  async #checkPaths(): Promise<void> {
    for (const path of this.#request.paths) {
      if (path === '') continue;
      const tree = await this.#openTree(new Pathspec([path]), { isComplete: true });
      let member = tree.next();
      for (; member === 'more'; member = tree.next()) if (this.#pace.isDue()) await this.#pace.rest();
      if (member !== undefined) continue;
      const shown = decodeText(encodeLatin1(path));
      throw new GitError('NOT_OUR_REF', `pathspec '${shown}' did not match any files`);
    }
  }

  async #openTree(pathspec: Pathspec, { isComplete = false } = {}): Promise<ArchivedTree> {
    const { maxTreeDepth, maxArchiveEntries } = this.#options.limits;
    const info = isComplete ? undefined : await this.#repository.readTextFile?.('info/attributes');
    return new ArchivedTree(this.#reader, this.#treeish.treeId, {
      prefix: isComplete ? NO_BYTES : encodeLatin1(this.#request.prefix),
      pathspec,
      infoAttributes: info === undefined ? undefined : encodeText(info),
      readsAttributes: !isComplete,
      lineEnds: this.#lineEnds,
      maxDepth: maxTreeDepth,
      maxEntries: maxArchiveEntries,
    });
  }

  async *#write(
    tree: ArchivedTree,
    writer: ArchiveWriter,
    output: ArchiveOutput,
  ): AsyncGenerator<Uint8Array, undefined> {
    writer.begin();
    for (let member = tree.next(); member !== undefined; member = tree.next()) {
      if (this.#pace.isDue()) await this.#pace.rest();
      if (member === 'more') continue;
      if (this.#request.isVerbose) this.#options.onPath?.(decodeText(member.path));
      if (isDirectory(member)) writer.writeEntry(member, NO_BYTES);
      else if (isConverted(member)) await this.#writeConverted(member, member.conversion, writer);
      else if (isHeld(member)) {
        writer.writeEntry(member, (this.#reader.read(member.id) ?? missing(member)).data);
      } else {
        const { content } = this.#reader.stream(member.id) ?? missing(member);
        for await (const _ of writer.streamEntry(member, content)) {
          for (let chunk = output.take(); chunk !== undefined; chunk = output.take()) yield chunk;
        }
      }
      for (let chunk = output.take(); chunk !== undefined; chunk = output.take()) yield chunk;
    }
    writer.finish();
    for (let chunk = output.takeLast(); chunk !== undefined; chunk = output.takeLast()) yield chunk;
  }

  async #writeConverted(
    member: TreeMember,
    conversion: TextConversion,
    writer: ArchiveWriter,
  ): Promise<void> {
    const { data } = this.#reader.read(member.id) ?? missing(member);
    const { commitId } = this.#treeish;
    let content = convertText(data, conversion, member.id);
    if (conversion.hasFormats && commitId !== undefined) {
      this.#subject ??= formatSubject(this.#repository, this.#reader, commitId, this.#options);
      content = expandFormats(content, await this.#subject);
    }
    writer.writeEntry({ ...member, sizeBytes: content.length }, content);
  }

  /** Seconds since 1970; `undefined` for a tree that is of no commit. */
  #commitTime(): number | undefined {
    const { commitId } = this.#treeish;
    const commit = commitId === undefined ? undefined : this.#reader.read(commitId);
    if (commit === undefined) return undefined;
    const fields = new CommitFields(this.#reader.format);
    fields.read(commit.data);
    return fields.date;
  }

  #umask(): number {
    const text = this.#repository.config?.get('tar.umask') ?? '0002';
    if (text === 'user') return this.#options.userUmask ?? DEFAULT_USER_UMASK;
    const umask = Number.parseInt(text, text.startsWith('0') ? 8 : 10);
    if (umask >= 0 && umask <= 0o777) return umask;
    throw new GitError('REPOSITORY_INVALID', `Cannot read config: bad value '${text}' for 'tar.umask'`);
  }

  /** What the attribute `diff` says, and the driver that it may name. */
  #isBinary(diff: AttributeValue): boolean | undefined {
    if (typeof diff === 'boolean') return !diff;
    return diff === undefined ? undefined : this.#repository.config?.getBoolean(`diff.${diff}.binary`);
  }
}

function isConverted(member: TreeMember): member is TreeMember & { readonly conversion: TextConversion } {
  return member.conversion !== undefined && member.sizeBytes <= MAX_CONVERTED_BYTES;
}

function isHeld(member: TreeMember): boolean {
  if (member.sizeBytes <= MAX_HELD_BYTES) return true;
  if (!isSymbolicLink(member)) return false;
  throw new GitError('LIMIT_EXCEEDED', `links of more than ${MAX_HELD_BYTES} bytes are not archived`, {
    limit: MAX_HELD_BYTES,
  });
}

function missing({ id }: TreeMember): never {
  throw new GitError('OBJECT_MISSING', `cannot read '${id}'`, { id });
}
