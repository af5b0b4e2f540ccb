/**
 * The capability `promisor-remote`: other repositories that this one knows to hold objects it may lack. A client that
 * accepts one gets packs without the blobs that are missing here.
 * Spec: gitprotocol-v2(5), "promisor-remote"; git-config(1), `promisor.advertise`, `promisor.sendFields`.
 *
 * @module
 */
import { encodeText } from '../../core/bytes.ts';
import type { GitConfig } from '../../repository/git-config.ts';

/** What a remote may be described by, beside name and URL, when `promisor.sendFields` names it. */
const FIELDS = ['partialCloneFilter', 'token'];

/** @returns what is advertised; `undefined` when nothing is to be, or there are none */
export function promisorRemoteInfo(config: GitConfig | undefined): string | undefined {
  if (config?.getBoolean('promisor.advertise') !== true) return undefined;
  const asked = (config.get('promisor.sendfields') ?? '')
    .split(',')
    .map((field) => field.trim().toLowerCase());
  const sent = FIELDS.filter((field) => asked.includes(field.toLowerCase()));
  const remotes = promisorRemotes(config).flatMap((name) => {
    const url = config.get(`remote.${name}.url`);
    if (url === undefined || url === '') return [];
    const fields = sent.flatMap((field) => {
      const value = config.get(`remote.${name}.${field}`);
      return value === undefined || value === '' ? [] : [`,${field}=${encode(value)}`];
    });
    return [`name=${encode(name)},url=${encode(url)}${fields.join('')}`];
  });
  return remotes.length === 0 ? undefined : remotes.join(';');
}

/** @param accepted the client's answer: names between semicolons. @returns whether it holds one we know */
export function acceptsPromisor(config: GitConfig | undefined, accepted: string): boolean {
  const known = config === undefined ? [] : promisorRemotes(config).map(encode);
  return accepted.split(';').some((name) => known.includes(encode(decode(name))));
}

/** Names, in the order they come in the configuration; that of `extensions.partialClone` is the last resort. */
function promisorRemotes(config: GitConfig): string[] {
  const names = new Set<string>();
  for (const { name, value } of config.entries) {
    const [, remote, key] = /^remote\.(.+)\.(promisor|partialclonefilter)$/s.exec(name) ?? [];
    if (remote === undefined || remote.startsWith('/')) continue;
    if (key === 'partialclonefilter' || isTrue(value)) names.add(remote);
  }
  const origin = config.get('extensions.partialclone');
  if (origin === undefined || origin === '') return [...names];
  names.delete(origin);
  return [...names, origin];
}

function isTrue(value: string | undefined): boolean {
  return value === undefined || /^(?:true|yes|on|[+-]?0*[1-9]\d*)$/i.test(value);
}

/** Separators, and what is not printable, percent-encoded. */
function encode(text: string): string {
  let encoded = '';
  for (const byte of encodeText(text)) {
    const character = String.fromCharCode(byte);
    const isPlain = byte > 32 && byte < 127 && !',;%'.includes(character);
    encoded += isPlain ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return encoded;
}

/** What does not decode stays as it is, as git has it. */
function decode(text: string): string {
  const bytes: number[] = [];
  const encoded = encodeText(text);
  for (let at = 0; at < encoded.length; at++) {
    const digits = String.fromCharCode(...encoded.subarray(at + 1, at + 3));
    const isEscape = encoded[at] === PERCENT && /^[0-9a-fA-F]{2}$/.test(digits);
    bytes.push(isEscape ? Number.parseInt(digits, 16) : (encoded[at] as number));
    if (isEscape) at += 2;
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

const PERCENT = 0x25;
