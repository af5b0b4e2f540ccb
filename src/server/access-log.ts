/**
 * One line a request, for the operator: who, from where, what, and what became of it. Nothing that would let its
 * reader do the same.
 *
 * @module
 */
import type { HttpClient } from '../transport/http/options.ts';
import type { RequestSummary } from '../transport/node/http-listener.ts';
import { isAnonymous, type Subject } from './access/subject.ts';

/** What became known of a request while it was let in. */
export interface AccessNote {
  readonly subject: Subject;
  /** `fetch`, `push`, `archive`. */
  readonly operation: string;
}

/** What is known of requests that run, by the client of their exchange. */
export class AccessNotes {
  readonly #notes = new WeakMap<HttpClient, AccessNote>();

  set(client: HttpClient | undefined, note: AccessNote): void {
    if (client !== undefined) this.#notes.set(client, note);
  }

  of(client: HttpClient): AccessNote | undefined {
    return this.#notes.get(client);
  }
}

/** Longest path and name shown, in characters. */
const MAX_SHOWN = 512;

/**
 * `203.0.113.7 alice/token:4fW2 fetch POST /a.git/git-upload-pack 200 15ms 1234B`, and `cut` after it when the answer did
 * not arrive whole; `-` for what is not known. Of queries only the service is shown: others may hold anything.
 */
export function formatAccess(summary: RequestSummary, note?: AccessNote): string {
  const { method, target, status, durationMs, sentBytes, complete, client } = summary;
  const who = `${shown(client.address ?? '-')} ${note === undefined ? '-' : nameOf(note.subject)}`;
  const what = `${note?.operation ?? '-'} ${shown(method)} ${shown(pathOf(target))}`;
  return `${who} ${what} ${status} ${Math.round(durationMs)}ms ${sentBytes}B${complete ? '' : ' cut'}`;
}

/** One command over SSH, in the same order. */
export function formatSshAccess(command: {
  readonly address: string;
  readonly subject: Subject | undefined;
  readonly service: string;
  readonly path: string;
  readonly exitCode: number;
  readonly durationMs: number;
  readonly sentBytes: number;
}): string {
  const { address, subject, service, path, exitCode, durationMs, sentBytes } = command;
  const who = `${shown(address)} ${subject === undefined ? '-' : nameOf(subject)}`;
  const operation = OPERATIONS[service] ?? '-';
  return `${who} ${operation} SSH ${service} ${shown(path)} ${exitCode} ${durationMs}ms ${sentBytes}B`;
}

const OPERATIONS: Readonly<Record<string, string>> = {
  'git-upload-pack': 'fetch',
  'git-receive-pack': 'push',
  'git-upload-archive': 'archive',
};

/** `alice/token:4fW2`: by whose credential, so that it can be taken back. */
function nameOf(subject: Subject): string {
  if (isAnonymous(subject)) return '-';
  const { name, credential } = subject;
  return shown(credential === undefined ? name : `${name}/${credential.kind}:${credential.id}`);
}

function pathOf(target: string): string {
  const [path = '', query = ''] = target.split('?', 2);
  const service = /^service=git-[a-z-]{1,30}$/.test(query) ? `?${query}` : '';
  // A target may be a whole URL, with a password in it.
  return `${path.replace(/^[^/]*:\/\/[^/]*/, '')}${service}`;
}

/** `text` from a client without anything a terminal or a log reader would act on. */
function shown(text: string): string {
  return text.slice(0, MAX_SHOWN).replace(/[^\x21-\x7e]/g, '?');
}
