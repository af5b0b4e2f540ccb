/**
 * The one packet that begins a git:// connection: `git-upload-pack /path NUL host=name:port NUL NUL version=2 NUL`.
 * Spec: gitprotocol-pack(5), "Git Transport"; git-daemon(1) for what the server makes of the host.
 *
 * @module
 */
import { decodeText } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import { type ProtocolVersion, parseProtocolVersion } from '../../protocol/service.ts';

export type DaemonService = 'upload-pack' | 'upload-archive' | 'receive-pack';

const SERVICES: readonly DaemonService[] = ['upload-pack', 'upload-archive', 'receive-pack'];

export interface DaemonRequest {
  readonly service: DaemonService;
  /** As the client wrote it. */
  readonly path: string;
  /** Lower case, without anything that could lead elsewhere in a path; `undefined` when the client did not say. */
  readonly host: string | undefined;
  readonly port: string | undefined;
  /** The host argument as it came; for logs. */
  readonly hostArgument: string | undefined;
  /** What stood behind the second NUL, joined by colons as in `GIT_PROTOCOL`. */
  readonly parameters: string;
  readonly protocolVersion: ProtocolVersion;
}

/** Pure. @throws {GitError} PROTOCOL_VIOLATION */
export function parseDaemonRequest(payload: Uint8Array): DaemonRequest {
  const text = decodeText(payload);
  const nul = text.indexOf('\0');
  const command = (nul < 0 ? text : text.slice(0, nul)).replace(/\n$/, '');
  const [, service, path] = /^git-([a-z-]+) (.*)$/s.exec(command) ?? [];
  const known = SERVICES.find((name) => name === service);
  if (known === undefined || path === undefined) {
    throw new GitError('PROTOCOL_VIOLATION', `Protocol error: '${printable(command)}'`);
  }
  const words = nul < 0 ? [] : text.slice(nul + 1).split('\0');
  const hasHost = /^host=/i.test(words[0] ?? '');
  if (!hasHost && (words[0] ?? '') !== '') throw new GitError('PROTOCOL_VIOLATION', 'Invalid request');
  // One word, one empty one, then parameters: a second word right after the host is none.
  if (hasHost && (words[1] ?? '') !== '') throw new GitError('PROTOCOL_VIOLATION', 'Invalid request');
  const hostArgument = hasHost ? (words[0] as string).slice('host='.length) : undefined;
  const parameters = words
    .slice(hasHost ? 1 : 0)
    .filter((word) => word !== '')
    .join(':');
  return {
    service: known,
    path,
    hostArgument,
    ...splitHost(hostArgument ?? ''),
    parameters,
    protocolVersion: parseProtocolVersion(parameters),
  };
}

function splitHost(text: string): Pick<DaemonRequest, 'host' | 'port'> {
  if (text === '') return { host: undefined, port: undefined };
  if (text.startsWith('[')) {
    const [, host, rest] = /^\[([^\]]*)\](.*)$/s.exec(text) ?? [];
    if (host === undefined) throw new GitError('PROTOCOL_VIOLATION', "Invalid request ('[' without ']')");
    if (rest !== '' && !rest?.startsWith(':')) {
      throw new GitError('PROTOCOL_VIOLATION', 'Garbage after end of host part');
    }
    return { host: harmless(host).toLowerCase(), port: rest === '' ? undefined : harmless(rest.slice(1)) };
  }
  const colon = text.lastIndexOf(':');
  const host = colon < 0 ? text : text.slice(0, colon);
  return {
    host: harmless(host).toLowerCase(),
    port: colon < 0 ? undefined : harmless(text.slice(colon + 1)),
  };
}

/** Without slashes, and without dots at either end or beside each other: it may become part of a path. */
function harmless(text: string): string {
  return text
    .replaceAll('/', '')
    .replace(/\.{2,}/g, '.')
    .replace(/^\.+|\.+$/g, '');
}

function printable(text: string): string {
  return text.slice(0, 200).replace(/[^\x20-\x7e]/g, '?');
}
