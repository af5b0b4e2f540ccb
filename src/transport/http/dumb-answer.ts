/**
 * Answers of the dumb protocol: lists made of refs and packs, and stored files as they are.
 * Spec: gitprotocol-http(5), "Dumb Clients"; git's http-backend and update-server-info; RFC 9110 for ranges.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { encodeText } from '../../core/bytes.ts';
import type { StoredFile, StoredFileKind, StoredFiles } from '../../odb/stored-files.ts';
import { isHiddenRef } from '../../protocol/hidden-refs.ts';
import { finalTarget, readShownRefs, type ShownRef } from '../../protocol/ref-snapshot.ts';
import type { Repository } from '../../repository/repository.ts';
import { gitHeaders } from './answer.ts';
import type { DumbFile } from './dumb-file.ts';
import { httpDate, selectRange } from './file-range.ts';
import type { RequestHead } from './options.ts';

/** What is sent. `body` is read to its end or told to return; then, or when there is none, `release` is called. */
export interface DumbAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncGenerator<Uint8Array> | undefined;
  release(): Promise<void>;
}

export interface DumbRequest extends Cancellable {
  readonly head: RequestHead;
  readonly file: DumbFile;
  /** Not listed among refs. */
  readonly hiddenRefs: readonly string[];
  /** What is given is for this client only: no cache between may give it to others. Default false. */
  readonly isPrivate?: boolean | undefined;
}

const CONTENT_TYPES: Readonly<Record<DumbFile['kind'], string>> = {
  head: 'text/plain',
  refs: 'text/plain',
  packs: 'text/plain; charset=utf-8',
  text: 'text/plain',
  loose: 'application/x-git-loose-object',
  pack: 'application/x-git-packed-objects',
  index: 'application/x-git-packed-objects-toc',
};

const YEAR_SECONDS = 31_536_000;
const CHUNK_CHARACTERS = 64 * 1024;

/**
 * @param files of `repository`
 * @returns `undefined` when there is no such file
 * @throws {GitError} STORAGE_FAILED
 */
export async function dumbAnswer(
  repository: Repository,
  files: StoredFiles,
  request: DumbRequest,
): Promise<DumbAnswer | undefined> {
  const { file } = request;
  if ('path' in file) {
    const stored = await files.open(file.path);
    return stored && fileAnswer(stored, file.kind, request);
  }
  const lines = {
    head: () => headLines(repository, request),
    refs: () => refLines(repository, request),
    packs: () => packLines(files),
  }[file.kind];
  return {
    status: 200,
    headers: gitHeaders(CONTENT_TYPES[file.kind]),
    body: inChunks(lines()),
    release: async () => {},
  };
}

function fileAnswer(stored: StoredFile, kind: StoredFileKind, request: DumbRequest): DumbAnswer {
  const { head, signal, isPrivate = false } = request;
  const { sizeBytes, modifiedMs, version } = stored;
  const validators = { sizeBytes, etag: `"${version}"`, lastModified: httpDate(modifiedMs) };
  const isImmutable = kind !== 'text';
  const headers = isImmutable
    ? immutableHeaders(CONTENT_TYPES[kind], isPrivate)
    : gitHeaders(CONTENT_TYPES.text);
  headers.set('last-modified', validators.lastModified);
  headers.set('etag', validators.etag);
  headers.set('accept-ranges', 'bytes');

  const selection = selectRange(head, validators);
  const { status } = selection;
  let body: DumbAnswer['body'];
  if (status === 200 || status === 206) {
    const { from, to } = selection;
    headers.set('content-length', String(to - from));
    if (status === 206) headers.set('content-range', `bytes ${from}-${to - 1}/${sizeBytes}`);
    body = stored.read(from, to, { signal });
  } else if (status === 416) {
    headers.set('content-range', `bytes */${sizeBytes}`);
  }
  return { status, headers, body, release: async () => stored[Symbol.asyncDispose]() };
}

/** For what its name says the content of: whoever has it may keep it. */
function immutableHeaders(contentType: string, isPrivate: boolean): Headers {
  return new Headers({
    expires: httpDate(Date.now() + YEAR_SECONDS * 1000),
    'cache-control': `${isPrivate ? 'private' : 'public'}, max-age=${YEAR_SECONDS}`,
    'content-type': contentType,
  });
}

/** Where HEAD leads, when there is a commit; nothing for an unborn branch, as http-backend says. */
async function* headLines({ refs }: Repository, { hiddenRefs, signal }: DumbRequest): AsyncGenerator<string> {
  const head = isHiddenRef('HEAD', hiddenRefs) ? undefined : await refs.resolve('HEAD', { signal });
  if (head === undefined) return;
  const { id, symbolicTarget } = head;
  yield symbolicTarget === undefined
    ? `${id}\n`
    : `ref: ${await finalTarget(refs, symbolicTarget, { signal })}\n`;
}

/** As update-server-info writes them: every ref but HEAD, and behind a tag what it points at. */
async function* refLines(
  repository: Repository,
  { hiddenRefs, signal }: DumbRequest,
): AsyncGenerator<string> {
  for (const { name, id, peeled } of await shownRefs(repository, hiddenRefs, signal)) {
    if (name === 'HEAD') continue;
    yield peeled === undefined ? `${id}\t${name}\n` : `${id}\t${name}\n${peeled}\t${name}^{}\n`;
  }
}

/** Nothing is held for a client that is slow to take them. */
async function shownRefs(
  { refs, objects }: Repository,
  hiddenRefs: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly ShownRef[]> {
  const reader = await objects.openReader({ signal });
  try {
    return await readShownRefs(refs, reader, { hiddenRefs, peel: true, signal });
  } finally {
    reader.release();
  }
}

async function* packLines(files: StoredFiles): AsyncGenerator<string> {
  const names = await files.packNames();
  yield `${names.map((name) => `P ${name}\n`).join('')}\n`;
}

async function* inChunks(lines: AsyncGenerator<string>): AsyncGenerator<Uint8Array> {
  let text = '';
  for await (const line of lines) {
    text += line;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield encodeText(text);
    text = '';
  }
  if (text !== '') yield encodeText(text);
}
