/**
 * Small pushes by hand: a commit on top of another, sent without a program being started for it.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { type Agent, request } from 'node:http';
import { concatBytes, encodeText } from '../../../src/core/bytes.ts';
import { BLOB, COMMIT, TREE } from '../../../src/core/object-kind.ts';
import { packOf, wholeEntry } from '../../support/pack-builder.ts';
import { pushRequest, readAnswer } from '../../support/push-client.ts';

export const NO_ID = '0'.repeat(40);

export interface MadeCommit {
  /** Hex. */
  readonly id: string;
  /** The commit, its tree and its file. */
  readonly pack: Uint8Array;
}

/** A commit with one file. The same arguments make the same commit. */
export function makeCommit(parent: string | undefined, content: Uint8Array): MadeCommit {
  const tree = concatBytes(encodeText('100644 file\0'), idOf('blob', content));
  const parentLine = parent === undefined ? '' : `parent ${parent}\n`;
  const who = 'A U Thor <author@example.com> 1112911993 +0000';
  const commit = encodeText(
    `tree ${hex(idOf('tree', tree))}\n${parentLine}author ${who}\ncommitter ${who}\n\nchange\n`,
  );
  return {
    id: hex(idOf('commit', commit)),
    pack: packOf([wholeEntry(COMMIT, commit), wholeEntry(TREE, tree), wholeEntry(BLOB, content)]),
  };
}

export function idOf(type: 'blob' | 'tree' | 'commit', content: Uint8Array): Uint8Array {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest();
}

export function hex(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}

export interface RefUpdate {
  readonly ref: string;
  /** {@link NO_ID} makes the ref. */
  readonly oldId: string;
  readonly newId: string;
}

/** The body of a push. */
export function pushBody(updates: readonly RefUpdate[], pack?: Uint8Array): Uint8Array {
  return pushRequest({
    commands: updates.map(({ ref, oldId, newId }) => `${oldId} ${newId} ${ref}`),
    capabilities: 'report-status side-band-64k ofs-delta',
    pack,
  });
}

export type PushOutcome =
  | { readonly kind: 'acknowledged' }
  /** The server said no. `reason` is its own word for it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** 429 or 503. `reason` is what it says beside. */
  | {
      readonly kind: 'turned away';
      readonly status: number;
      readonly retryAfter: string | undefined;
      readonly reason: string;
    }
  /** No answer, or none that can be read: the server may have done it. */
  | { readonly kind: 'unanswered'; readonly reason: string };

/** Push to `repository` (its path). Never throws. */
export async function push(
  port: number,
  repository: string,
  body: Uint8Array,
  agent?: Agent,
): Promise<PushOutcome> {
  try {
    const { status, retryAfter, bytes } = await post(port, `/${repository}/git-receive-pack`, body, agent);
    if (status === 429 || status === 503)
      return { kind: 'turned away', status, retryAfter, reason: text(bytes) };
    if (status !== 200) return { kind: 'refused', reason: `status ${status}: ${text(bytes)}` };
    return outcomeOf(bytes);
  } catch (error) {
    return { kind: 'unanswered', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** @throws when the answer is no git answer */
export function outcomeOf(bytes: Uint8Array): PushOutcome {
  if (bytes.length === 0) return { kind: 'unanswered', reason: 'an empty answer' };
  const { report, fatal } = readAnswer(bytes, true);
  const refs = report.filter((line) => line.startsWith('ok ') || line.startsWith('ng '));
  if (report[0] === 'unpack ok' && refs.length > 0 && refs.every((line) => line.startsWith('ok '))) {
    return { kind: 'acknowledged' };
  }
  if (report.length === 0 && fatal === '') return { kind: 'unanswered', reason: 'no report' };
  return { kind: 'refused', reason: [...report.slice(0, 3), fatal].join('; ').trim() };
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly bytes: Buffer;
}

function post(port: number, path: string, body: Uint8Array, agent: Agent | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      port,
      path,
      agent: agent ?? false,
      host: '127.0.0.1',
      method: 'POST',
      headers: { 'content-type': 'application/x-git-receive-pack-request', 'content-length': body.length },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => void chunks.push(chunk));
      response.on('error', reject);
      response.on('aborted', () => reject(new Error('the answer was cut')));
      response.on('end', () =>
        resolve({
          status: response.statusCode as number,
          retryAfter: response.headers['retry-after'],
          bytes: Buffer.concat(chunks),
        }),
      );
    });
    outgoing.end(body);
  });
}

function text(bytes: Buffer): string {
  return bytes.toString('utf8', 0, 200).trim();
}
